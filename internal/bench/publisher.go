package bench

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// publisher publishes events over connections that stay open. The bodies are put together from parts made
// beforehand: the generator shares the processors with what it measures.
type publisher struct {
	client *http.Client
	// urls are POST /api/events of each API, which take turns.
	urls   []string
	header http.Header
	// prefix is the name of the load's event types: webhook k gets <prefix>.<k>, every webhook <prefix>.all.
	prefix string
	filler string
	turn   atomic.Uint64
}

// publishTimeout bounds one publish.
const publishTimeout = 30 * time.Second

func newTransport() *http.Transport {
	return &http.Transport{MaxIdleConnsPerHost: 4096, DisableCompression: true}
}

func newPublisher(apis []string, key, prefix string, payload int) *publisher {
	p := &publisher{
		client: &http.Client{Transport: newTransport(), Timeout: publishTimeout},
		header: http.Header{"Authorization": {"Bearer " + key}, "Content-Type": {"application/json"}},
		prefix: prefix,
		filler: strings.Repeat("x", max(0, payload-len(dataOf(0, "")))),
	}
	for _, api := range apis {
		p.urls = append(p.urls, api+"/api/events")
	}
	return p
}

// dataOf is the data of an event.
func dataOf(n int, filler string) string {
	digits := strconv.Itoa(n)
	return `{` + numberMark + strings.Repeat("0", numberDigits-len(digits)) + digits + `","text":"` + filler + `"}`
}

// all is the event type that every webhook of the load gets.
const all = -1

func eventType(prefix string, webhook int) string {
	if webhook == all {
		return prefix + ".all"
	}
	return prefix + "." + strconv.Itoa(webhook)
}

// publish publishes the n-th event, to one webhook or to all. Anything but 202 for the number of deliveries
// is an error.
func (p *publisher) publish(ctx context.Context, n, webhook, deliveries int) error {
	body := `{"event":"` + eventType(p.prefix, webhook) + `","data":` + dataOf(n, p.filler) + `}`
	url := p.urls[p.turn.Add(1)%uint64(len(p.urls))]
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return err
	}
	request.Header = p.header
	status, answer, err := exchange(p.client, request)
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
