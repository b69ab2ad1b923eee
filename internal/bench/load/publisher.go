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
	body := `{"event":"` + EventType(p.prefix, webhook) + `","data":` + Data(n, p.filler) + `}`
	url := p.urls[p.turn.Add(1)%uint64(len(p.urls))]
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return err
	}
	request.Header = p.header
	status, answer, err := Exchange(p.client, request)
	if err != nil {
		return err
	}
	if status != http.StatusAccepted {
		return fmt.Errorf("publish: %d: %s", status, answer)
	}
	if !bytes.Contains(answer, fmt.Appendf(nil, `"deliveries":%d,`, deliveries)) {
		return fmt.Errorf("publish: not %d deliveries: %s", deliveries, answer)
	}
	return nil
}
