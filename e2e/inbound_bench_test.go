package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	stripe "github.com/stripe/stripe-go/v82/webhook"
)

// BenchmarkInbound sends 200 events a second to a source, whether or not the earlier ones are answered. It reports
// how long answers took, counted from when each request was due, and how long after the last answer the last event
// was processed.
func BenchmarkInbound(b *testing.B) {
	const perSecond = 200
	for _, deployment := range deployments {
		b.Run(deployment.name, func(b *testing.B) {
			p := deployment.prepare(b)
			p.start(b)
			from := p.newSource(b, p.newOwner(b, nil))
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: perSecond}}
			took := make([]time.Duration, b.N)
			var all sync.WaitGroup
			b.ResetTimer()
			began := time.Now()
			for i := range took {
				due := began.Add(time.Duration(i) * time.Second / perSecond)
				<-time.After(time.Until(due))
				all.Go(func() {
					if err := postSigned(client, from.URL, stripeEvent(fmt.Sprintf("evt_%d", i))); err != nil {
						b.Error(err)
					}
					took[i] = time.Since(due)
				})
			}
			all.Wait()
			b.StopTimer()
			answered := time.Now()
			p.awaitNonePending(b, from.ID)
			b.ReportMetric(time.Since(answered).Seconds(), "backlog-s")
			slices.Sort(took)
			for name, share := range map[string]float64{"p50-ms": 0.5, "p99-ms": 0.99, "max-ms": 1} {
				rank := min(int(share*float64(b.N)), b.N-1)
				b.ReportMetric(float64(took[rank].Microseconds())/1000, name)
			}
			require.False(b, b.Failed())
		})
	}
}

// awaitNonePending waits until everything that a source received is processed.
func (p *installation) awaitNonePending(t testing.TB, sourceID string) {
	t.Helper()
	var pending struct {
		Data []inboundEvent `json:"data"`
	}
	eventually(t, func() bool {
		p.call(t, http.MethodGet, "/api/inbound-events?limit=1&status=pending&source_id="+sourceID, nil, http.StatusOK, &pending)
		return len(pending.Data) == 0
	}, "inbound events are still pending")
}

func postSigned(client *http.Client, url string, body []byte) error {
	signed := stripe.GenerateTestSignedPayload(&stripe.UnsignedPayload{Payload: body, Secret: stripeSecret})
	request, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Stripe-Signature", signed.Header)
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("answered %s", response.Status)
	}
	return nil
}
