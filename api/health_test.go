package api_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/api"
)

func checks(temporal error) []api.Check {
	return []api.Check{
		{Name: "database", Run: func(context.Context) error { return nil }},
		{Name: "temporal", Run: func(context.Context) error { return temporal }},
	}
}

func TestHealthAndReadiness(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		temporal error
		status   int
		want     map[string]any
	}{
		"ready": {nil, http.StatusOK, map[string]any{
			"status": "ok", "checks": map[string]any{"database": "ok", "temporal": "ok"},
		}},
		"not ready": {errors.New("no answer within 3 s"), http.StatusServiceUnavailable, map[string]any{
			"status": "unavailable", "checks": map[string]any{"database": "ok", "temporal": "no answer within 3 s"},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newService(t, func(cfg *config) { cfg.Checks = checks(test.temporal) })
			reply := s.call("", "GET", "/readyz", "").is(test.status)
			reply.header.Set("Content-Type", "application/json")
			require.Equal(t, test.want, reply.object())
			require.JSONEq(t, `{"status":"ok"}`, s.call("", "GET", "/healthz", "").is(http.StatusOK).body)
		})
	}
}

// A check that does not come back is given up.
func TestReadinessThatHangs(t *testing.T) {
	t.Parallel()
	s := newService(t, func(cfg *config) {
		cfg.Checks = []api.Check{{Name: "temporal", Run: func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}}}
	})
	require.Contains(t, s.call("", "GET", "/readyz", "").is(http.StatusServiceUnavailable).body, `"temporal":"context deadline exceeded"`)
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	s := newService(t, func(cfg *config) {
		cfg.Metrics = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("up 1\n")) })
	})
	require.Equal(t, "up 1\n", s.call("", "GET", "/metrics", "").is(http.StatusOK).body)
	newService(t).call("", "GET", "/metrics", "").problem(http.StatusNotFound, "not_found")
}

// A worker has its health checked, and nothing else.
func TestHealthAlone(t *testing.T) {
	t.Parallel()
	health := httptest.NewServer(api.NewHealth(api.Config{Checks: checks(nil), Logger: slog.New(slog.DiscardHandler)}))
	t.Cleanup(health.Close)
	s := &server{Server: health, t: t}
	s.call("", "GET", "/healthz", "").is(http.StatusOK)
	s.call("", "GET", "/readyz", "").is(http.StatusOK)
	for _, path := range []string{"/api/webhooks", "/openapi.json", "/docs", "/"} {
		s.call(adminKey, "GET", path, "").problem(http.StatusNotFound, "not_found")
	}
}

// Load balancers and browsers ask with HEAD and OPTIONS: every route survives every method.
func TestEveryMethodOnEveryRoute(t *testing.T) {
	t.Parallel()
	s := newService(t)
	engine, ok := api.New(api.Config{Logger: slog.New(slog.DiscardHandler)}).(interface{ Routes() gin.RoutesInfo })
	require.True(t, ok)
	// A path may be one of another route's parameter too: an event type may be called import.
	takesPut := func(path string) bool {
		return slices.ContainsFunc(engine.Routes(), func(route gin.RouteInfo) bool {
			pattern := "^" + regexp.MustCompile(`:\w+`).ReplaceAllString(route.Path, "[^/]+") + "$"
			return route.Method == http.MethodPut && regexp.MustCompile(pattern).MatchString(path)
		})
	}
	for _, route := range engine.Routes() {
		for _, method := range []string{"HEAD", "OPTIONS", "TRACE", "PUT", "X-CUSTOM"} {
			reply := s.call(adminKey, method, route.Path, "")
			require.Less(t, reply.status, http.StatusInternalServerError, "%s %s", method, route.Path)
			if method == "PUT" && !takesPut(route.Path) {
				reply.problem(http.StatusMethodNotAllowed, "method_not_allowed")
				require.Contains(t, reply.header.Get("Allow"), route.Method, route.Path)
			}
		}
	}
}
