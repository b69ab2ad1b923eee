package report

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/bench/load"
)

// sample is a report in which every field is set.
func sample() *Report {
	statements := 4.5
	result := func(name string, rate float64) Result {
		r := Result{
			Name: name, Help: "closed loop", AcceptedPerS: rate + 1, DeliveredPerS: rate,
			LatencyMS: Quantiles{P50: 12, P95: 40, P99: 90, Max: 300}, AnswerMS: Quantiles{P50: 3, P95: 6, P99: 9, Max: 12},
			CPU:      CPU{Total: 11, ByProcess: map[string]float64{"postgres": 4, "postrider": 3, "temporal": 4}, Bench: 0.5},
			SQL:      &SQL{Transactions: 2, Statements: &statements},
			Temporal: &Workflows{Events: 6, StateTransitions: 2},
			Accepted: 100, Delivered: 100, DurationS: 10,
			MemoryMB: map[string]float64{"postgres": 200, "postrider": 80, "temporal": 300, "bench": 40},
		}
		for i := range distributionSteps + 1 {
			r.distribution = append(r.distribution, 5+float64(i))
		}
		r.perSecond = []int{9, 10, 11, 10}
		return r
	}
	growth := result("growth-1k", 30)
	growth.CallsMS = map[string]Quantiles{"events": {P50: 1, P95: 2, P99: 3, Max: 4}}
	report := &Report{
		StartedAt: time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC), Installation: "postrider serve", Machine: "2 processors",
		DurationS: 10, PayloadBytes: 1024, Runs: 1, IdleMSPerS: map[string]float64{"temporal": 30},
		Scenarios: []Result{result("throughput-c16", 90), result("latency-50", 50), result("floor-c16", 100), growth},
	}
	report.Compare()
	return report
}

func TestJSONShape(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "report.json")
	require.NoError(t, sample().WriteJSON(file))
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	var got struct {
		Scenarios []map[string]any `json:"scenarios"`
	}
	require.NoError(t, json.Unmarshal(content, &got))
	require.Len(t, got.Scenarios, 4)
	first := got.Scenarios[0]
	for name, want := range map[string]any{
		"name": "throughput-c16", "accepted_per_s": 91.0, "delivered_per_s": 90.0,
		"latency_ms":            map[string]any{"p50": 12.0, "p95": 40.0, "p99": 90.0, "max": 300.0},
		"sql_per_delivery":      map[string]any{"transactions": 2.0, "statements": 4.5},
		"temporal_per_delivery": map[string]any{"events": 6.0, "state_transitions": 2.0},
		"cpu_ms_per_delivery": map[string]any{
			"total": 11.0, "bench": 0.5, "by_process": map[string]any{"postgres": 4.0, "postrider": 3.0, "temporal": 4.0},
		},
		"lost": 0.0, "duplicated": 0.0,
	} {
		require.Equal(t, want, first[name], name)
	}
}

func TestUnknownFiguresAreNull(t *testing.T) {
	t.Parallel()
	report := &Report{Scenarios: []Result{{Name: "latency-20"}}}
	text, err := json.Marshal(report)
	require.NoError(t, err)
	require.Contains(t, string(text), `"sql_per_delivery":null`)
	require.Contains(t, string(text), `"temporal_per_delivery":null`)
	var table strings.Builder
	require.NoError(t, report.WriteTable(&table))
	require.Contains(t, table.String(), " - ")
	require.NoError(t, report.WriteHTML(filepath.Join(t.TempDir(), "report.html")))
}

func TestAccountCountsWhatArrivedInTime(t *testing.T) {
	t.Parallel()
	const s = time.Second
	var r Result
	r.Account(load.Account{
		Accepted: 8, Delivered: 3, Lost: 5,
		Arrivals: []time.Duration{12 * s, 13 * s, 16 * s}, Latencies: []time.Duration{s, s, 4 * s},
	}, 10*s, 14*s)
	require.InDelta(t, 4, r.DurationS, 1e-9)
	require.InDelta(t, 2, r.AcceptedPerS, 1e-9)
	require.InDelta(t, 0.5, r.DeliveredPerS, 1e-9, "what arrives after the load is not part of its rate")
	require.InDelta(t, 2, r.DrainS, 1e-9)
	require.Equal(t, []int{0, 0, 1, 1, 0, 0, 1}, r.perSecond)
	require.Equal(t, 5, r.Lost)
	require.InDelta(t, 1000, r.distribution[0], 0)
	require.InDelta(t, 4000, r.distribution[distributionSteps], 0)
}

func TestUse(t *testing.T) {
	t.Parallel()
	before := map[string]time.Duration{"postrider": time.Second, Self: 5 * time.Second}
	after := map[string]time.Duration{"postrider": 3 * time.Second, "temporal": time.Second, Self: 6 * time.Second}
	memory := map[string]int64{"postrider": 3 << 20}
	var r Result
	r.Use(before, after, memory, 1000)
	require.Equal(t, CPU{Total: 3, ByProcess: map[string]float64{"postrider": 2, "temporal": 1}, Bench: 1}, r.CPU)
	require.Equal(t, map[string]float64{"postrider": 3}, r.MemoryMB)

	floor := Result{BenchWorks: true}
	floor.Use(before, after, memory, 1000)
	require.Equal(t, CPU{Total: 4, ByProcess: map[string]float64{"postrider": 2, "temporal": 1, Self: 1}}, floor.CPU)
}

func TestRunsAreCombined(t *testing.T) {
	t.Parallel()
	var runs []Result
	for i, rate := range []float64{90, 120, 100} {
		r := sample().Scenarios[0]
		r.DeliveredPerS, r.CPU.ByProcess["temporal"] = rate, rate/10
		r.LatencyMS.P99 = float64(100 - i)
		r.Lost, r.Duplicated = i, 1
		runs = append(runs, r)
	}
	runs[1].Problem = "one was refused"
	got := Combine(runs)
	require.InDelta(t, 100, got.DeliveredPerS, 0)
	require.InDelta(t, 99, got.LatencyMS.P99, 0)
	require.InDelta(t, 10, got.CPU.ByProcess["temporal"], 0)
	require.Equal(t, [2]float64{90, 120}, got.Ranges["delivered_per_s"])
	require.Equal(t, [2]float64{98, 100}, got.Ranges["latency_ms.p99"])
	require.Equal(t, 3, got.Lost, "no run's losses may get lost in a median")
	require.Equal(t, 3, got.Duplicated)
	require.Equal(t, "one was refused", got.Problem)
	require.Len(t, got.Runs, 3)
	for i, rate := range []float64{90, 120, 100} {
		require.InDelta(t, rate, got.Runs[i].DeliveredPerS, 0, "the runs keep their own figures")
		require.InDelta(t, rate/10, got.Runs[i].CPU.ByProcess["temporal"], 1e-9)
	}
}

func TestComparisons(t *testing.T) {
	t.Parallel()
	shares := map[string]float64{}
	for _, c := range sample().Comparisons {
		shares[c.Name] = c.Value
	}
	require.Equal(t, map[string]float64{
		"delivered/s, throughput-c16 to floor-c16": 0.9, "CPU, throughput-c16 to floor-c16": 1,
	}, shares)
}

// Each run is compared within itself: the machine was slow in the second one.
func TestComparisonsOfRuns(t *testing.T) {
	t.Parallel()
	runs := func(name string, rates ...float64) Result {
		var all []Result
		for _, rate := range rates {
			all = append(all, Result{Name: name, DeliveredPerS: rate})
		}
		return Combine(all)
	}
	report := &Report{Scenarios: []Result{runs("throughput-c16", 90, 40, 80), runs("floor-c16", 100, 50, 100)}}
	report.Compare()
	require.Len(t, report.Comparisons, 1)
	require.Equal(t, "0.80 (0.80–0.90)", report.Comparisons[0].String())
}

func TestPageEscapesAndNeedsNothingElse(t *testing.T) {
	t.Parallel()
	report := sample()
	const hostile = `"><script>alert(1)</script>`
	report.Machine, report.Settings = hostile, []string{"GOGC=" + hostile}
	report.Scenarios[0].Name, report.Scenarios[0].Help, report.Scenarios[0].Problem = hostile, hostile, hostile
	file := filepath.Join(t.TempDir(), "report.html")
	require.NoError(t, report.WriteHTML(file))
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	page := string(content)
	require.NotContains(t, page, "<script")
	require.Contains(t, page, "&lt;script&gt;alert(1)")
	for _, outside := range []string{"http://", "https://", "@import", "url(", "ZgotmplZ", "<no value>"} {
		require.NotContains(t, page, outside)
	}
	require.GreaterOrEqual(t, strings.Count(page, "<svg"), 3)
	require.Contains(t, page, "growth-1k")
}
