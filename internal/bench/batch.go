package bench

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/postrider/postrider/internal/bench/load"
	"github.com/postrider/postrider/internal/bench/report"
)

// publishing publishes events that no webhook gets, so many in each request: what is left is the cost of publishing.
func publishing(batch, concurrency int) scenario {
	return scenario{
		name: fmt.Sprintf("publishing-%d", batch), group: "publishing",
		help:        fmt.Sprintf("closed loop: %d requests under way, each with %d events that no webhook gets; times are until the 202", concurrency, batch),
		concurrency: concurrency, batch: batch, run: (*bench).publishing,
	}
}

// publishing runs such a scenario. An event arrives when it is answered.
func (b *bench) publishing(s scenario) (report.Result, error) {
	result := report.Result{Name: s.name, Help: s.help}
	l := load.New()
	p := load.NewPublisher(b.target.APIs, b.target.AdminKey, uniqueName(), b.command.Payload)
	defer p.Close()
	l.Send = func(ctx context.Context, due time.Duration) <-chan struct{} {
		numbers, events := make([]int, s.batch), make([]*load.Event, s.batch)
		for i := range s.batch {
			numbers[i], events[i] = l.Ledger.Open(due, 0, 1)
		}
		publish := p.PublishAll
		if s.batch == 1 {
			publish = func(ctx context.Context, numbers []int) error { return p.Publish(ctx, numbers[0], load.All, 0) }
		}
		err := publish(ctx, numbers)
		l.Problems.Add(err)
		for i, e := range slices.Backward(events) {
			if err == nil {
				l.Ledger.Arrive(numbers[i], 0, "", l.Ledger.Now())
			}
			l.Ledger.Answer(e, err == nil)
		}
		return events[0].Complete
	}
	_, err := b.measure(s, l, &result)
	return result, err
}
