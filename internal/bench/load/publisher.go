package load

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
)

// Publisher publishes events over connections that stay open. Bodies are assembled from parts made in advance, because
// the generator shares the processors with what it measures.
type Publisher struct {
	client *http.Client
	// urls are POST /api/events of each API; they are used in turn.
	urls   []string
	header http.Header
	// prefix is the name of the load's event types: webhook k gets <prefix>.<k>, every webhook <prefix>.all.
	prefix string
	filler string
	turn   atomic.Uint64
}

// NewPublisher returns a publisher to the APIs at these addresses. payload is the size of an event's data in bytes.
func NewPublisher(apis []string, key, prefix string, payload int) *Publisher {
	p := &Publisher{
		client: NewClient(),
		header: http.Header{"Authorization": {"Bearer " + key}, "Content-Type": {"application/json"}},
		prefix: prefix,
		filler: Filler(payload),
	}
	for _, api := range apis {
		p.urls = append(p.urls, api+"/api/events")
	}
	return p
}

// Close closes the publisher's connections.
func (p *Publisher) Close() { p.client.CloseIdleConnections() }

// Publish publishes the n-th event, to one webhook or to all. An answer other than 202 with the expected number of
// deliveries is an error.
func (p *Publisher) Publish(ctx context.Context, n, webhook, deliveries int) error {
	answer, err := p.post(ctx, "", p.event(n, webhook))
	if err != nil {
		return err
	}
	if !bytes.Contains(answer, fmt.Appendf(nil, `"deliveries":%d,`, deliveries)) {
		return fmt.Errorf("publish: not %d deliveries: %s", deliveries, answer)
	}
	return nil
}

// PublishAll publishes events that no webhook gets in one request. An answer other than 202 with each of them is an error.
func (p *Publisher) PublishAll(ctx context.Context, numbers []int) error {
	events := make([]string, len(numbers))
	for i, n := range numbers {
		events[i] = p.event(n, All)
	}
	answer, err := p.post(ctx, "/batch", `{"events":[`+strings.Join(events, ",")+`]}`)
	if err != nil {
		return err
	}
	if published := bytes.Count(answer, []byte(`"deliveries":0,`)); published != len(numbers) {
		return fmt.Errorf("publish: %d of %d events, and not to nobody: %.500s", published, len(numbers), answer)
	}
	return nil
}

// event is the n-th event as JSON.
func (p *Publisher) event(n, webhook int) string {
	return `{"event":"` + EventType(p.prefix, webhook) + `","data":` + Data(n, p.filler) + `}`
}

// post sends a body to the next API, and returns the answer 202.
func (p *Publisher) post(ctx context.Context, path, body string) ([]byte, error) {
	url := p.urls[p.turn.Add(1)%uint64(len(p.urls))] + path
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header = p.header
	status, answer, err := Exchange(p.client, request)
	if err == nil && status != http.StatusAccepted {
		err = fmt.Errorf("publish: %d: %.500s", status, answer)
	}
	return answer, err
}
