package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"golang.org/x/sync/errgroup"

	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/signature"
)

// TestFanOut publishes one event to very many webhooks: each gets it, once.
//
// It does not run beside other tests: it uses the whole machine, and measures how long it takes.
func TestFanOut(t *testing.T) { //nolint:paralleltest // it measures, and would starve the others
	webhooks := map[string]int{"dev": 1_000, "production": 10_000}
	for _, deployment := range deployments {
		t.Run(deployment.name, func(t *testing.T) {
			count := webhooks[deployment.name]
			if testing.Short() {
				count /= 4 // still more than one page
			}
			p := deployment.prepare(t)
			p.start(t)
			fanOut(t, p, count)
			p.killPostrider()
			p.killTemporal()
			for _, program := range p.programs {
				t.Logf("%s used %s of processor time", program, program.ProcessorTime().Round(time.Millisecond))
			}
		})
	}
}

func fanOut(t *testing.T, p *installation, webhooks int) {
	t.Helper()
	target := newReceiver(t, always(http.StatusOK))
	owner := p.newOwner(t, nil)
	began := time.Now()
	insertWebhooks(t, p.store(t), owner, target.url, webhooks)
	t.Logf("%d webhooks made in %s", webhooks, time.Since(began).Round(time.Millisecond))

	began = time.Now()
	published := p.publish(t, owner, "order.created", object{"n": 1})
	t.Logf("accepted after %s", time.Since(began).Round(time.Millisecond))
	require.Equal(t, webhooks, published.Deliveries)
	eventuallyWithin(t, 3*patience, func() bool { return target.count() >= webhooks }, "not every webhook was called")
	took := time.Since(began)
	t.Logf("%d deliveries arrived in %s, %.0f per second", webhooks, took.Round(time.Millisecond), float64(webhooks)/took.Seconds())

	temporal := p.dial(t)
	awaitWorkflow(t, temporal, "fanout/"+published.ID, "", enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED)
	eventually(t, func() bool {
		return len(p.list(t, "/api/deliveries?limit=250&status=pending&event_id="+published.ID)) == 0
	}, "deliveries are pending")
	require.Len(t, p.list(t, "/api/deliveries?limit=250&status=delivered&event_id="+published.ID), webhooks)
	paths, ids := map[string]bool{}, map[string]bool{}
	for _, request := range target.all() {
		paths[request.path] = true
		ids[request.deliveryID()] = true
		require.Equal(t, "1", request.attempt())
	}
	require.Len(t, paths, webhooks, "every webhook was called")
	require.Len(t, ids, webhooks)
	require.Equal(t, webhooks, target.count(), "and none of them twice")
}

// insertWebhooks makes webhooks with a path each, past the API.
func insertWebhooks(t *testing.T, store *store.Store, owner, url string, count int) {
	t.Helper()
	const atOnce = 8
	group, ctx := errgroup.WithContext(t.Context())
	group.SetLimit(atOnce)
	host := strings.TrimPrefix(url, "http://")
	for n := range count {
		group.Go(func() error {
			secret, err := signature.NewSecret()
			if err != nil {
				return err
			}
			return store.CreateWebhook(ctx, &models.Webhook{
				OwnerID: owner, URL: fmt.Sprintf("%s/%d", url, n), Host: host, Events: []string{"order.*"}, Active: true,
			}, secret)
		})
	}
	require.NoError(t, group.Wait())
}
