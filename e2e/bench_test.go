package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/bench"
	"github.com/postrider/postrider/internal/bench/report"
)

// measured runs postrider-bench and returns the scenarios of its report by name.
func measured(t *testing.T, args ...string) map[string]report.Result {
	t.Helper()
	folder := t.TempDir()
	file, page := filepath.Join(folder, "report.json"), filepath.Join(folder, "report.html")
	var stdout, stderr strings.Builder
	code := bench.Main(append(args, "--output", file, "--html", page), &stdout, &stderr)
	t.Logf("%s\n%s", &stderr, &stdout)
	require.Zero(t, code)
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	var written report.Report
	require.NoError(t, json.Unmarshal(content, &written))
	html, err := os.ReadFile(page)
	require.NoError(t, err)
	scenarios := map[string]report.Result{}
	for _, s := range written.Scenarios {
		scenarios[s.Name] = s
		require.Contains(t, string(html), s.Name)
		require.Contains(t, stdout.String(), s.Name)
		require.Empty(t, s.Problem)
		require.Zero(t, s.Lost)
		require.Zero(t, s.Duplicated)
		require.Positive(t, s.Delivered)
		require.Equal(t, s.Accepted, s.Delivered)
		require.Positive(t, s.LatencyMS.P50)
		require.GreaterOrEqual(t, s.LatencyMS.Max, s.LatencyMS.P99)
	}
	return scenarios
}

// TestBenchStartsAnInstallation measures deliveries, and Temporal alone, in an installation of its own.
func TestBenchStartsAnInstallation(t *testing.T) {
	t.Parallel()
	scenarios := measured(t, "throughput-c16", "floor-c16", "--start", "--programs", programFolder,
		"--duration", "2s", "--warm-up", "1s", "--temporal-setting", "GOGC=200", "--postgres-setting", "synchronous_commit=off")
	require.Len(t, scenarios, 2)
	throughput, floor := scenarios["throughput-c16"], scenarios["floor-c16"]
	for _, s := range scenarios {
		require.Positive(t, s.DeliveredPerS)
		require.NotNil(t, s.Temporal)
		require.GreaterOrEqual(t, s.Temporal.Events, 6.0)
		require.Positive(t, s.Temporal.StateTransitions)
		for _, name := range []string{"postgres", "temporal"} {
			require.Positive(t, s.CPU.ByProcess[name], name)
			require.Positive(t, s.MemoryMB[name], name)
		}
	}
	require.Positive(t, throughput.CPU.ByProcess["postrider"])
	require.Positive(t, throughput.CPU.Bench)
	require.NotContains(t, throughput.CPU.ByProcess, "bench", "the generator is not part of the installation")
	require.Positive(t, floor.CPU.ByProcess["bench"], "in the floor it is")
	require.NotNil(t, throughput.SQL)
	require.Positive(t, throughput.SQL.Transactions)
	require.NotNil(t, throughput.SQL.Statements)
	require.Positive(t, *throughput.SQL.Statements)
	// A workflow task that is repeated on a busy machine adds some.
	require.InDelta(t, floor.Temporal.Events, throughput.Temporal.Events, 1, "the floor has the shape of a delivery")
	require.InDelta(t, floor.Temporal.StateTransitions, throughput.Temporal.StateTransitions, 1)
}

// TestBenchOfARunningInstallation measures one that others use, too, and leaves nothing behind in it.
func TestBenchOfARunningInstallation(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, p *installation) {
		args := []string{"latency-20", "failing", "inbound", "--url", p.url, "--admin-key", p.adminKey,
			"--temporal-address", p.temporalAddress, "--process", fmt.Sprintf("postrider=%d", p.postrider.PID()),
			"--duration", "1s", "--warm-up", "0s"}
		production := strings.HasPrefix(p.databaseURL, "postgres")
		if production {
			args = append(args, "--database-url", p.databaseURL)
		}
		scenarios := measured(t, args...)
		require.Len(t, scenarios, 3)
		require.Equal(t, 20, scenarios["latency-20"].Delivered)
		require.Equal(t, 200, scenarios["inbound"].Delivered)
		failing := scenarios["failing"]
		require.Equal(t, 30, failing.Delivered)
		require.Equal(t, 15, failing.Refused)
		require.Greater(t, failing.LatencyMS.P99, 1000.0, "half of them wait for the retry")
		for _, s := range scenarios {
			require.Equal(t, production, s.SQL != nil)
			require.NotNil(t, s.Temporal)
		}
		var webhooks, sources struct{ Data []any }
		p.call(t, "GET", "/api/webhooks", nil, 200, &webhooks)
		p.call(t, "GET", "/api/sources", nil, 200, &sources)
		require.Empty(t, webhooks.Data)
		require.Empty(t, sources.Data)
	})
}
