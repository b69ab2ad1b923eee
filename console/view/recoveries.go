package view

import (
	"context"
	"strings"
	"time"

	"github.com/postrider/postrider/models"
)

// Recoveries is a page of the list.
type Recoveries struct {
	Filter     RecoveryFilter
	Recoveries []models.Recovery
	Pager      Pager
}

// RecoveryFilter is the list's filter as the address has it.
type RecoveryFilter struct {
	WebhookID string
	Statuses  []string
}

func (f RecoveryFilter) narrows() bool { return f.WebhookID != "" || len(f.Statuses) > 0 }

func recoveryStatuses() []models.RecoveryStatus {
	return []models.RecoveryStatus{models.RecoveryRunning, models.RecoveryPaused, models.RecoveryCompleted, models.RecoveryCancelled}
}

// doneOf is how many deliveries a recovery is through with.
func doneOf(r models.Recovery) int64 { return r.Resent + r.Skipped }

// howFar says how far a recovery is.
func howFar(ctx context.Context, r models.Recovery) string {
	if !r.Collected {
		return say(ctx, "%s found so far", Count(r.Total))
	}
	return say(ctx, "%s of %s", Count(doneOf(r)), Count(r.Total))
}

// recoveryOf says in sentences how a recovery is, and what to do.
func recoveryOf(ctx context.Context, r models.Recovery) Explanation {
	switch {
	case r.Status == models.RecoveryPaused && r.Reason != "":
		return Explanation{What: say(ctx, "It is paused: %s.", strings.TrimSuffix(r.Reason, ".")), Do: say(ctx, "Resume it to go on.")}
	case r.Status == models.RecoveryPaused:
		return Explanation{What: say(ctx, "It is paused."), Do: say(ctx, "Resume it to go on.")}
	case r.Status == models.RecoveryCancelled && r.Reason != "":
		return Explanation{What: say(ctx, "It was cancelled: %s.", strings.TrimSuffix(r.Reason, ".")), Do: say(ctx, "What it has sent stays sent.")}
	case r.Status == models.RecoveryCancelled:
		return Explanation{What: say(ctx, "It was cancelled."), Do: say(ctx, "What it has sent stays sent.")}
	case r.Status == models.RecoveryCompleted && r.Total == 0:
		return Explanation{What: say(ctx, "There was nothing to send in this time.")}
	case r.Status == models.RecoveryCompleted:
		return Explanation{What: say(ctx, "All of it was sent."), Do: say(ctx, "The deliveries say what came of it.")}
	case !r.Collected:
		return Explanation{What: say(ctx, "It looks for what is to be sent.")}
	}
	left := time.Duration(r.Total-doneOf(r)) * time.Second / time.Duration(max(1, r.Rate))
	return Explanation{What: say(ctx, "It sends %d a second at most: about %s to go.", r.Rate, Span(left))}
}

// included says what a recovery brings.
func included(ctx context.Context, of models.Include) string {
	switch of {
	case models.IncludeMissed:
		return say(ctx, "what failed, and what was missed")
	case models.IncludeAll:
		return say(ctx, "everything")
	case models.IncludeFailed:
	}
	return say(ctx, "what failed")
}
