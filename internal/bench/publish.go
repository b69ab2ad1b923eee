package bench

import (
	"context"
	"crypto/rand"
	"strings"
	"sync/atomic"
	"time"
)

// manyWebhooks are so many that making them shows in the counts of transactions.
const manyWebhooks = 50

// publish runs a scenario that publishes events to webhooks.
func (b *bench) publish(s scenario) (Result, error) {
	result := Result{Name: s.name, Help: s.help}
	name := uniqueName()
	l := newLoad()
	incoming := &reception{name: name, ledger: l.ledger, reply: s.reply, release: make(chan struct{})}
	b.receiver.expect(incoming)
	defer b.receiver.expect(nil)
	ids, err := b.createWebhooks(s, name)
	if err != nil {
		return result, err
	}
	defer b.deleteWebhooks(ids)
	if s.webhooks > manyWebhooks && b.target.sql != nil {
		if err := b.target.sql.flushed(b.ctx); err != nil {
			return result, err
		}
	}
	p := newPublisher(b.target.apis, b.target.adminKey, name, b.command.Payload)
	defer p.client.CloseIdleConnections()
	l.send = p.sender(s, l)
	l.measuring = func() { incoming.measured.Store(true) }
	l.ended = func() { close(incoming.release) }
	_, err = b.measure(s, l, &result)
	return result, err
}

// uniqueName is one that no earlier load has used: events and webhooks of different loads do not meet.
func uniqueName() string { return "bench-" + strings.ToLower(rand.Text()[:10]) }

// sender returns how a scenario publishes one event.
func (p *publisher) sender(s scenario, l *load) send {
	var turn atomic.Int64
	return func(ctx context.Context, due time.Duration) <-chan struct{} {
		webhook, first, deliveries := all, 0, s.webhooks
		if !s.toAll {
			webhook = int(turn.Add(1)-1) % s.webhooks
			first, deliveries = webhook, 1
		}
		n, e := l.ledger.open(due, first, deliveries)
		err := p.publish(ctx, n, webhook, deliveries)
		l.problems.add(err)
		l.ledger.answer(e, err == nil)
		return e.complete
	}
}
