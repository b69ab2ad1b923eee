package receiver_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/receiver"
)

func TestRoutes(t *testing.T) {
	t.Parallel()
	patterns := []string{"*", "order.*", "order.created", "order.created.*", "orders/*", "a.b", "1"}
	for eventType, want := range map[string]string{
		"order.created":      "order.created",
		"order.paid":         "order.*",
		"order.paid.twice":   "order.*",
		"order.created.eu":   "order.created.*",
		"order.created.eu.x": "order.created.*",
		"order.":             "order.*",
		"order":              "*",
		"orders.created":     "*",
		"Order.created":      "*",
		"orders/create":      "orders/*",
		"orders/create.x":    "orders/*",
		"a.b":                "a.b",
		"a.b.c":              "*",
		"a":                  "*",
		"1":                  "1",
		"*":                  "*",
		"order.*":            "order.*",
		".":                  "*",
		"/":                  "*",
		"..":                 "*",
	} {
		t.Run(strings.ReplaceAll(eventType, "/", "|"), func(t *testing.T) {
			t.Parallel()
			h := newHandler(t, receiver.Options{})
			var got []string
			for _, pattern := range patterns {
				h.On(pattern, func(context.Context, receiver.Event) error {
					got = append(got, pattern)
					return nil
				})
			}
			requireReceived(t, postStripe(t, h, `{"id":"evt_1","type":"`+eventType+`"}`))
			require.Equal(t, []string{want}, got)
		})
	}
}

func TestWithoutARouteNothingIsRemembered(t *testing.T) {
	t.Parallel()
	store := receiver.NewMemoryStore(0)
	h := newHandler(t, receiver.Options{Store: store})
	h.On("order.*", new(calls).handle)
	requireReceived(t, postStripe(t, h, `{"id":"evt_1","type":"invoice.paid"}`))
	require.Zero(t, store.Len())

	// A function that is deployed later gets what is sent again.
	var called calls
	h.On("invoice.*", called.handle)
	requireReceived(t, postStripe(t, h, `{"id":"evt_1","type":"invoice.paid"}`))
	require.Equal(t, 1, called.count())
	require.Equal(t, 1, store.Len())
}

func TestOnPanics(t *testing.T) {
	t.Parallel()
	h := newHandler(t, receiver.Options{})
	for _, pattern := range []string{"*", "order.created", "order.*"} {
		h.On(pattern, new(calls).handle)
		require.PanicsWithValue(t, `receiver: On("`+pattern+`"): the pattern has a function already`, func() {
			h.On(pattern, new(calls).handle)
		})
	}
	for _, pattern := range []string{"", "order*", "*.created", "order.*.eu", "**", ".*", "/*", "order.**"} {
		require.PanicsWithValue(t,
			`receiver: On("`+pattern+`"): use an event type such as order.created, a prefix such as order.*, or *`,
			func() { h.On(pattern, new(calls).handle) }, pattern)
	}
	require.PanicsWithValue(t, "receiver: On: nil function for invoice.paid", func() { h.On("invoice.paid", nil) })
}
