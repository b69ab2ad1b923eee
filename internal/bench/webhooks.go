package bench

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/postrider/postrider/internal/bench/load"
)

// setupConcurrency is how many webhooks are made or deleted at once.
const setupConcurrency = 8

// cleanupTimeout bounds one removal.
const cleanupTimeout = 10 * time.Second

// createWebhooks makes a scenario's webhooks and returns their IDs.
func (b *bench) createWebhooks(s scenario, name string) ([]string, error) {
	ids := make([]string, s.webhooks)
	group, ctx := errgroup.WithContext(b.ctx)
	group.SetLimit(setupConcurrency)
	for k := range ids {
		group.Go(func() error {
			body := map[string]any{
				"url":    b.receiver.Path(name, k),
				"events": []string{load.EventType(name, k), load.EventType(name, load.All)},
			}
			if s.ordered {
				body["ordered"] = true
			}
			if s.schedule != nil {
				body["retry_schedule"] = s.schedule
			}
			var webhook struct{ ID string }
			if err := b.api.Call(ctx, http.MethodPost, "/api/webhooks", body, &webhook); err != nil {
				return fmt.Errorf("create a webhook: %w", err)
			}
			ids[k] = webhook.ID
			return nil
		})
	}
	err := group.Wait()
	if err != nil {
		b.deleteWebhooks(ids)
	}
	return ids, err
}

// deleteWebhooks removes a scenario's webhooks, as far as possible.
func (b *bench) deleteWebhooks(ids []string) {
	var group errgroup.Group
	group.SetLimit(setupConcurrency)
	for _, id := range ids {
		if id == "" {
			continue
		}
		group.Go(func() error {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(b.ctx), cleanupTimeout)
			defer cancel()
			return b.api.Call(ctx, http.MethodDelete, "/api/webhooks/"+id, nil, nil)
		})
	}
	if err := group.Wait(); err != nil {
		b.progress.say("a webhook is left over: " + err.Error())
	}
}
