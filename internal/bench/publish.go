package bench

import (
	"context"
	"crypto/rand"
	"strings"
	"sync/atomic"
	"time"

	"github.com/postrider/postrider/internal/bench/load"
	"github.com/postrider/postrider/internal/bench/report"
)

// manyWebhooks is a number whose creation shows in the counts of transactions.
const manyWebhooks = 50

// publish runs a scenario that publishes events to webhooks.
func (b *bench) publish(s scenario) (report.Result, error) {
	result := report.Result{Name: s.name, Help: s.help}
	name := uniqueName()
	l := load.New()
	incoming := load.NewReception(name, l.Ledger, s.reply)
	b.receiver.Expect(incoming)
	defer b.receiver.Expect(nil)
	ids, err := b.createWebhooks(s, name)
	if err != nil {
		return result, err
	}
	defer b.deleteWebhooks(ids)
	if s.webhooks > manyWebhooks && b.target.SQL != nil {
		if err := b.target.SQL.Flushed(b.ctx); err != nil {
			return result, err
		}
	}
	p := load.NewPublisher(b.target.APIs, b.target.AdminKey, name, b.command.Payload)
	defer p.Close()
	l.Send = s.sender(p, l)
	l.Measuring = incoming.Measure
	l.Ended = incoming.Release
	_, err = b.measure(s, l, &result)
	return result, err
}

// uniqueName is a name that no earlier load has used, so that loads do not match each other's webhooks.
func uniqueName() string { return "bench-" + strings.ToLower(rand.Text()[:10]) }

// sender returns how a scenario publishes one event.
func (s scenario) sender(p *load.Publisher, l *load.Load) load.Send {
	var turn atomic.Int64
	return func(ctx context.Context, due time.Duration) <-chan struct{} {
		webhook, first, deliveries := load.All, 0, s.webhooks
		if !s.toAll {
			webhook = int(turn.Add(1)-1) % s.webhooks
			first, deliveries = webhook, 1
		}
		n, e := l.Ledger.Open(due, first, deliveries)
		err := p.Publish(ctx, n, webhook, deliveries)
		l.Problems.Add(err)
		l.Ledger.Answer(e, err == nil)
		return e.Complete
	}
}
