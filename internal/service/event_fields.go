package service

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// maxNamedWebhooks is how many webhooks an event names at most.
const maxNamedWebhooks = 100

const unknownWebhook = "the event's owner has no webhook with this ID"

// eventMetadata checks the metadata of an event, whose values are sent in headers.
func (f *faults) eventMetadata(metadata models.Metadata) {
	f.metadata(metadata)
	for _, name := range slices.Sorted(maps.Keys(metadata)) {
		if strings.ContainsFunc(metadata[name], notPrintableASCII) {
			f.add("metadata."+name, "is sent as a header: expected printable ASCII characters; what needs others belongs in data")
		}
	}
}

// due checks when an event is to be delivered.
func (f *faults) due(event models.Event, now time.Time) {
	if event.Delay != nil {
		f.duration("delay", Duration{Value: *event.Delay}, time.Second, models.MaxDelay)
		if event.DeliverAt != nil {
			f.add("delay", "an event has one time of delivery: leave out delay or deliver_at")
		}
	}
	if at := event.DeliverAt; at != nil && at.Sub(now) > models.MaxDelay {
		f.add("deliver_at", "expected a time within the next "+models.FormatDuration(models.MaxDelay))
	}
}

func notPrintableASCII(r rune) bool { return r < ' ' || r > '~' }

// named checks the webhooks that an event names: they belong to its owner, who is known by now. A paused one may be named,
// and gets nothing.
func (s *Service) named(ctx context.Context, event *models.Event, wrong *faults) error {
	switch {
	case len(event.WebhookIDs) == 0:
		return nil
	case event.Broadcast:
		wrong.add("webhook_ids", "an event goes to some webhooks of one owner or to all owners: leave out webhook_ids or broadcast")
		return nil
	case len(event.WebhookIDs) > maxNamedWebhooks:
		wrong.add("webhook_ids", fmt.Sprintf("expected at most %d webhooks", maxNamedWebhooks))
		return nil
	}
	owner := event.OwnerID
	if owner == "" {
		owner = models.DefaultOwnerID
	}
	malformed := func(id string) bool { return typeid.Check(typeid.KindWebhook, id) != nil }
	known, err := s.store.WebhooksOf(ctx, owner, slices.DeleteFunc(slices.Clone(event.WebhookIDs), malformed))
	if err != nil {
		return err
	}
	for i, id := range event.WebhookIDs {
		if !slices.Contains(known, id) {
			wrong.add(fmt.Sprintf("webhook_ids[%d]", i), unknownWebhook)
		}
	}
	event.WebhookIDs = models.NewWebhookIDs(event.WebhookIDs)
	return nil
}
