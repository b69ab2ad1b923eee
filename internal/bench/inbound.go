package bench

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/bench/load"
	"github.com/postrider/postrider/internal/bench/measuring"
	"github.com/postrider/postrider/internal/bench/report"
	"github.com/postrider/postrider/signature"
)

// inboundRate is how many webhooks come in a second.
const inboundRate = 200

const (
	// inboundPatience bounds the wait until everything that was received is processed; inboundInterval is how often
	// it looks.
	inboundPatience = 5 * time.Minute
	inboundInterval = 500 * time.Millisecond
)

func inbound() scenario {
	return scenario{
		name: "inbound", group: "inbound",
		help:      fmt.Sprintf("open loop: %d webhooks a second to a source; times are until the 200", inboundRate),
		perSecond: inboundRate, run: (*bench).inbound,
	}
}

// inbound runs a scenario in which a provider sends webhooks. An event arrives when it is answered, and is lost when it is
// not processed in the end.
func (b *bench) inbound(s scenario) (report.Result, error) {
	result := report.Result{Name: s.name, Help: s.help}
	var source struct{ ID string }
	secret := rand.Text()
	body := map[string]any{"name": uniqueName(), "scheme": signature.SchemeGitHub, "secret": secret}
	if err := b.api.Call(b.ctx, http.MethodPost, "/api/sources", body, &source); err != nil {
		return result, fmt.Errorf("create a source: %w", err)
	}
	defer b.deleteSource(source.ID)
	provider := &provider{
		client:  load.NewClient(),
		url:     b.target.APIs[0] + "/webhooks/" + source.ID,
		signing: signature.Config{Scheme: signature.SchemeGitHub, Secrets: []string{secret}},
		filler:  load.Filler(b.command.Payload),
	}
	defer provider.client.CloseIdleConnections()
	l := load.New()
	l.Send = func(ctx context.Context, due time.Duration) <-chan struct{} {
		n, e := l.Ledger.Open(due, 0, 1)
		err := provider.deliver(ctx, n)
		l.Problems.Add(err)
		if err == nil {
			l.Ledger.Arrive(n, 0, "", l.Ledger.Now())
		}
		l.Ledger.Answer(e, err == nil)
		return e.Complete
	}
	l.Await = func(ctx context.Context) error { return b.awaitProcessed(ctx, source.ID) }
	accounted, err := b.measure(s, l, &result)
	if err != nil {
		return result, err
	}
	ids, err := b.processed(b.ctx, source.ID)
	if err != nil {
		return result, err
	}
	result.Lost = max(0, accounted.Expected-len(ids))
	result.Duplicated = max(0, len(ids)-accounted.Expected)
	if b.target.Temporal != nil {
		result.Temporal, err = measuring.DescribeSample(b.ctx, b.target.Temporal, ids)
	}
	return result, err
}

func (b *bench) deleteSource(id string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(b.ctx), cleanupTimeout)
	defer cancel()
	if err := b.api.Call(ctx, http.MethodDelete, "/api/sources/"+id, nil, nil); err != nil {
		b.progress.say("a source is left over: " + err.Error())
	}
}

// inboundPage is a page of inbound events.
type inboundPage struct {
	Data       []struct{ ID string } `json:"data"`
	NextCursor *string               `json:"next_cursor"`
}

// awaitProcessed waits until nothing that a source received is pending.
func (b *bench) awaitProcessed(ctx context.Context, source string) error {
	for deadline := time.Now().Add(inboundPatience); time.Now().Before(deadline); {
		var page inboundPage
		query := url.Values{"source_id": {source}, "status": {"pending"}, "limit": {"1"}}
		if err := b.api.Call(ctx, http.MethodGet, "/api/inbound-events?"+query.Encode(), nil, &page); err != nil {
			return err
		}
		if len(page.Data) == 0 {
			return nil
		}
		if err := load.Pause(ctx, inboundInterval); err != nil {
			return fmt.Errorf("wait for inbound events: %w", err)
		}
	}
	return nil // what is still pending is reported as lost
}

// processed returns the IDs of what a source received and what has been processed.
func (b *bench) processed(ctx context.Context, source string) ([]string, error) {
	var ids []string
	query := url.Values{"source_id": {source}, "status": {"processed"}, "limit": {"250"}}
	for {
		var page inboundPage
		if err := b.api.Call(ctx, http.MethodGet, "/api/inbound-events?"+query.Encode(), nil, &page); err != nil {
			return nil, err
		}
		for _, event := range page.Data {
			ids = append(ids, event.ID)
		}
		if page.NextCursor == nil {
			return ids, nil
		}
		query.Set("cursor", *page.NextCursor)
	}
}

// provider sends webhooks as GitHub does.
type provider struct {
	client  *http.Client
	url     string
	signing signature.Config
	filler  string
}

func (p *provider) deliver(ctx context.Context, n int) error {
	body := load.Data(n, p.filler)
	header, err := signature.Sign(p.signing, "", time.Now(), []byte(body))
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, strings.NewReader(body))
	if err != nil {
		return err
	}
	header.Set("Content-Type", "application/json")
	header.Set("X-GitHub-Event", "push")
	header.Set("X-GitHub-Delivery", fmt.Sprintf("bench-%d", n))
	request.Header = header
	status, answer, err := load.Exchange(p.client, request)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("send to a source: %d: %s", status, answer)
	}
	return nil
}
