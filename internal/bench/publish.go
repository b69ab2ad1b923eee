package bench

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// publish runs a scenario that publishes events to webhooks.
func (b *bench) publish(s scenario) (Result, error) {
	result := Result{Name: s.name, Help: s.help}
	// A name that no earlier load has used: events and webhooks of different loads do not meet.
	name := "bench-" + strings.ToLower(rand.Text()[:10])
	l := newLedger()
	incoming := &reception{name: name, ledger: l, reply: s.reply, release: make(chan struct{})}
	b.receiver.expect(incoming)
	defer b.receiver.expect(nil)
	ids, err := b.createWebhooks(s, name)
	if err != nil {
		return result, err
	}
	defer b.deleteWebhooks(ids)

	p := newPublisher(b.target.apis, b.target.adminKey, name, b.command.Payload)
	defer p.client.CloseIdleConnections()
	problems := &problems{}
	send := b.sender(s, l, p, problems)

	var m measurement
	if err := b.startCounting(b.ctx, &m); err != nil {
		return result, err
	}
	b.progress.begin(s.name+": warming up", l)
	s.drive(b.ctx, l, b.command.WarmUp, send)
	if err := b.settle(l, s.lateness); err != nil {
		return result, err
	}
	if err := problems.fatal(l); err != nil {
		return result, err
	}
	m.startUsing()
	began := l.measure()
	b.progress.begin(s.name, l)
	s.drive(b.ctx, l, b.command.Duration, send)
	stopped := l.now()
	close(incoming.release)
	if err := b.settle(l, s.lateness); err != nil {
		return result, err
	}
	accounted := l.reconcile(s.counts)
	result.account(accounted, began, stopped)
	result.Problem = problems.first()
	m.stopUsing(&result, accounted.delivered)
	if err := m.stopCounting(b.ctx, &result, accounted.expected-accounted.lost); err != nil {
		return result, err
	}
	if b.target.temporal != nil {
		if result.Temporal, err = describeSample(b.ctx, b.target.temporal, accounted.ids); err != nil {
			return result, err
		}
	}
	return result, nil
}

// settle waits until everything has arrived and nothing is left to do.
func (b *bench) settle(l *ledger, lateness time.Duration) error {
	defer b.progress.end()
	if err := drain(b.ctx, l, lateness); err != nil {
		return err
	}
	return b.awaitQuiet(b.ctx)
}

// sender returns how a scenario publishes one event.
func (b *bench) sender(s scenario, l *ledger, p *publisher, problems *problems) send {
	var turn atomic.Int64
	return func(ctx context.Context, due time.Duration) <-chan struct{} {
		webhook, first, deliveries := all, 0, s.webhooks
		if !s.toAll {
			webhook = int(turn.Add(1)-1) % s.webhooks
			first, deliveries = webhook, 1
		}
		n, e := l.open(due, first, deliveries)
		err := p.publish(ctx, n, webhook, deliveries)
		problems.add(err)
		l.answer(e, err == nil)
		return e.complete
	}
}

// problems are the errors of a load.
type problems struct {
	mu    sync.Mutex
	err   error
	count int
}

func (p *problems) add(err error) {
	if err == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.count++; p.err == nil {
		p.err = err
	}
}

func (p *problems) first() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		return ""
	}
	return fmt.Sprintf("%d not accepted, the first: %s", p.count, p.err)
}

// fatal is an error when nothing at all was accepted.
func (p *problems) fatal(l *ledger) error {
	published, _, _ := l.progress()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil && p.count == published {
		return p.err
	}
	return nil
}
