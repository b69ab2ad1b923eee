// Package rules evaluates what owners write into their webhooks in CEL, the Common Expression Language: a filter, which
// says whether a webhook gets an event, and a transformation, which makes the JSON that is sent instead of the event's
// data.
//
// An expression sees one event and nothing else: it has no clock and no network, so that it gives the same answer each
// time. Work, time, depth of the data and size of the answer are bounded. An expression is compiled once and kept; the data
// of an event are read once, however many filters look at them.
package rules

import (
	"context"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/semaphore"

	"github.com/postrider/postrider/models"
)

const (
	// MaxSource bounds an expression, in bytes.
	MaxSource = 8 << 10
	// MaxOutput bounds what a transformation makes, in bytes: as much as a publisher may send.
	MaxOutput = 1 << 20

	// keptExpressions is how many compiled expressions a process keeps.
	keptExpressions = 4096
	// filterTime bounds one filter, eventTime all filters of one event together, transformTime one transformation. They are
	// for what the limit of work does not see: on a machine that has time, that limit is reached first.
	filterTime    = 250 * time.Millisecond
	eventTime     = 2 * time.Second
	transformTime = time.Second
	// room is how many bytes of data may be read at once: in memory, they take up to thirty times as much.
	room = 8 << 20
)

// Engine evaluates expressions. All of a process share one.
type Engine struct {
	kept *lru.Cache[expression, *compiled]
	room *semaphore.Weighted
}

// New returns an engine.
func New() *Engine {
	kept, err := lru.New[expression, *compiled](keptExpressions)
	if err != nil {
		panic(err) // for a size below 1
	}
	return &Engine{kept: kept, room: semaphore.NewWeighted(room)}
}

// Verdict is what a webhook's filter says of an event.
type Verdict struct {
	// Passes says that the webhook gets the event. It does when its filter fails: an event too many is better than one lost.
	Passes bool
	// Fault says why the filter failed, for people; empty when it did not. It tells nothing of the event's data.
	Fault string
}

// Filter asks the filters of webhooks about an event, and answers in their order. A webhook without a filter gets every
// event. The error is the context's.
func (e *Engine) Filter(ctx context.Context, event models.Event, webhooks []models.Webhook) ([]Verdict, error) {
	facts, leave, err := e.read(ctx, event)
	if err != nil {
		return nil, err
	}
	defer leave()
	together, cancel := context.WithTimeout(ctx, eventTime)
	defer cancel()
	verdicts := make([]Verdict, len(webhooks))
	for i, webhook := range webhooks {
		verdicts[i] = Verdict{Passes: true}
		if webhook.Filter == "" {
			continue
		}
		passes, err := e.filter(together, webhook.Filter, facts.about(webhook))
		if err != nil {
			verdicts[i].Fault = err.Error()
			continue
		}
		verdicts[i].Passes = passes
	}
	return verdicts, ctx.Err()
}

// Passes asks a webhook's filter, for who wants to know all about its fault: the error is a *Fault, or the context's.
func (e *Engine) Passes(ctx context.Context, event models.Event, webhook models.Webhook) (bool, error) {
	facts, leave, err := e.read(ctx, event)
	if err != nil {
		return false, err
	}
	defer leave()
	return e.filter(ctx, webhook.Filter, facts.about(webhook))
}

func (e *Engine) filter(ctx context.Context, source string, facts facts) (bool, error) {
	value, err := e.evaluate(ctx, expression{Filter, source}, facts, filterTime)
	if err != nil {
		return false, err
	}
	return boolOf(value)
}

// Transform returns the JSON that a webhook gets instead of the event's data: the same each time, byte for byte. Its error
// is a *Fault, or the context's.
func (e *Engine) Transform(ctx context.Context, event models.Event, webhook models.Webhook) ([]byte, error) {
	facts, leave, err := e.read(ctx, event)
	if err != nil {
		return nil, err
	}
	defer leave()
	value, err := e.evaluate(ctx, expression{Transform, webhook.Transform}, facts.about(webhook), transformTime)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	return write(value)
}

// read reads an event's data, where there is room for them. Call leave when done with them.
func (e *Engine) read(ctx context.Context, event models.Event) (read facts, leave func(), err error) {
	size := min(int64(len(event.Data)), room)
	if err := e.room.Acquire(ctx, size); err != nil {
		return facts{}, nil, err
	}
	return factsOf(event), func() { e.room.Release(size) }, nil
}
