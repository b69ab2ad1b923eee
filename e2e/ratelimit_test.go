package e2e

import (
	"flag"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// With its default the story of TestRateLimit is told in short; 300 is what docs/reliability.md shows.
var limitedEvents = flag.Int("ratelimit.events", 40, "how many events TestRateLimit sends to a webhook that takes 5 a second")

// shortLimitedEvents is how many events a busy machine is not held to the exact arrival of.
const shortLimitedEvents = 100

// TestRateLimit has three processes share one webhook's limit of 5 requests a second: within any 2 seconds there
// are at most 10 and a tenth more. Nothing is lost, nothing is sent twice, and other webhooks do not wait.
func TestRateLimit(t *testing.T) {
	t.Parallel()
	const perSecond, window, most = 5, 2 * time.Second, 11
	fleet := newFleet(t, 3)
	p := fleet[0]
	limited, others := newReceiver(t, always(http.StatusOK)), newReceiver(t, always(http.StatusOK))
	owner := p.newOwner(t, nil)
	webhook := p.newWebhook(t, owner, limited.url, object{"rate_limit": perSecond, "events": []string{"order.*"}})
	p.newWebhook(t, owner, others.url, object{"events": []string{"user.*"}})

	began := time.Now()
	for n := range *limitedEvents {
		fleet[n%len(fleet)].publish(t, owner, "order.created", object{"n": n})
		if n%4 == 0 {
			fleet[n%len(fleet)].publish(t, owner, "user.created", object{"n": n})
		}
	}
	others.await(t, (*limitedEvents+3)/4)
	t.Logf("everything for the webhook without a limit arrived %s after the first event was published", time.Since(began).Round(time.Millisecond))
	require.Less(t, limited.count(), *limitedEvents, "they did not wait for the others")
	limit := patience + 2*time.Duration(*limitedEvents)*time.Second/perSecond
	eventuallyWithin(t, limit, func() bool { return limited.count() >= *limitedEvents }, "not everything arrives")
	p.settled(t)

	ids := map[string]int{}
	var arrived []time.Time
	for _, request := range limited.all() {
		ids[request.deliveryID()]++
		arrived = append(arrived, request.at)
	}
	require.Len(t, ids, *limitedEvents)
	require.Equal(t, *limitedEvents, limited.count(), "each arrived once")
	var sent []time.Time
	require.NoError(t, storetest.Open(t, p.databaseURL).Model(&models.Attempt{}).
		Where("delivery_id IN (SELECT id FROM deliveries WHERE webhook_id = ?)", webhook.ID).
		Order("started_at").Pluck("started_at", &sent).Error)
	require.Len(t, sent, *limitedEvents)
	took := arrived[len(arrived)-1].Sub(arrived[0])
	t.Logf("%d requests in %s, %.2f a second; within any %s at most %d were sent and %d arrived", len(arrived),
		took.Round(time.Millisecond), float64(len(arrived)-1)/took.Seconds(), window, mostWithin(sent, window), mostWithin(arrived, window))
	require.LessOrEqual(t, mostWithin(sent, window), most)
	if *limitedEvents > shortLimitedEvents {
		require.LessOrEqual(t, mostWithin(arrived, window), most)
	}
}

// mostWithin is how many of the moments lie within a window, wherever it begins.
func mostWithin(moments []time.Time, window time.Duration) int {
	slices.SortFunc(moments, time.Time.Compare)
	most, first := 0, 0
	for last := range moments {
		for moments[last].Sub(moments[first]) >= window {
			first++
		}
		most = max(most, last-first+1)
	}
	return most
}
