package dispatch

import (
	"context"
	"errors"

	"go.temporal.io/api/serviceerror"

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/internal/dispatch/start"
	"github.com/postrider/postrider/models"
)

// ErrRecoveryFinished says that a recovery has ended and can neither be paused, resumed nor cancelled.
var ErrRecoveryFinished = errors.New("recovery has ended")

// Recover stores a recovery of an active webhook and returns when that is durable; its workflow starts in the
// background. Its errors are those of store.Store.CreateRecovery and ErrWebhookInactive.
func (d *Dispatcher) Recover(ctx context.Context, webhook models.Webhook, recovery *models.Recovery) error {
	if webhook.Suspended {
		return models.ErrOwnerSuspended
	}
	if !webhook.Active {
		return ErrWebhookInactive
	}
	recovery.WebhookID, recovery.OwnerID = webhook.ID, webhook.OwnerID
	if err := d.store.CreateRecovery(ctx, recovery); err != nil {
		return err
	}
	created := *recovery
	d.starter.Soon(func(ctx context.Context) error { return d.starter.StartRecovery(ctx, created) })
	return nil
}

// PauseRecovery holds a recovery back once the page under way is done.
func (d *Dispatcher) PauseRecovery(ctx context.Context, recovery models.Recovery) error {
	return d.signalRecovery(ctx, recovery, contract.SignalPause)
}

// ResumeRecovery lets a paused recovery go on. One whose workflow was terminated goes on in a new one.
func (d *Dispatcher) ResumeRecovery(ctx context.Context, recovery models.Recovery) error {
	return d.signalRecovery(ctx, recovery, contract.SignalResume)
}

// signalRecovery asks a recovery's workflow for something. The request has a time, which puts all of them in order.
func (d *Dispatcher) signalRecovery(ctx context.Context, recovery models.Recovery, signal string) error {
	recovery, err := d.store.TouchRecovery(ctx, recovery.ID)
	switch {
	case err != nil:
		return err
	case recovery.Status.Finished():
		return ErrRecoveryFinished
	}
	return d.starter.SignalRecovery(ctx, recovery, signal, contract.SteerSignal{At: recovery.UpdatedAt.UTC()})
}

// CancelRecovery ends a recovery once the page under way is done. What it has resent stays resent.
func (d *Dispatcher) CancelRecovery(ctx context.Context, recovery models.Recovery) error {
	if recovery.Status.Finished() {
		return ErrRecoveryFinished
	}
	err := d.temporal.CancelWorkflow(ctx, recovery.ID, "")
	var notRunning *serviceerror.NotFound
	if !errors.As(err, &notRunning) {
		return start.Unavailable(err)
	}
	recovery, err = d.store.SetRecoveryStatus(ctx, recovery.ID, models.RecoveryCancelled, cancelledOnRequest)
	if err == nil && recovery.Status == models.RecoveryCompleted {
		err = ErrRecoveryFinished // meanwhile
	}
	return err
}

// CancelRecoveries cancels recoveries; those that have ended are left alone.
func (d *Dispatcher) CancelRecoveries(ctx context.Context, recoveries []models.Recovery) error {
	return start.Each(ctx, recoveries, func(ctx context.Context, recovery models.Recovery) error {
		if err := d.CancelRecovery(ctx, recovery); !errors.Is(err, ErrRecoveryFinished) {
			return err
		}
		return nil
	})
}
