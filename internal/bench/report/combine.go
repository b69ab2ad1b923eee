package report

import (
	"cmp"
	"maps"
	"slices"
)

// figures visits each figure by the name it has in the report. What visit stores becomes the figure.
func (r *Result) figures(visit func(name string, value *float64)) {
	quantiles := func(name string, q *Quantiles) {
		visit(name+".p50", &q.P50)
		visit(name+".p95", &q.P95)
		visit(name+".p99", &q.P99)
		visit(name+".max", &q.Max)
	}
	each := func(name string, values map[string]float64) {
		for part, value := range values {
			visit(name+"."+part, &value)
			values[part] = value
		}
	}
	visit("accepted_per_s", &r.AcceptedPerS)
	visit("delivered_per_s", &r.DeliveredPerS)
	quantiles("latency_ms", &r.LatencyMS)
	quantiles("answer_ms", &r.AnswerMS)
	visit("cpu_ms_per_delivery.total", &r.CPU.Total)
	visit("cpu_ms_per_delivery.bench", &r.CPU.Bench)
	each("cpu_ms_per_delivery.by_process", r.CPU.ByProcess)
	if r.SQL != nil {
		visit("sql_per_delivery.transactions", &r.SQL.Transactions)
		if r.SQL.Statements != nil {
			visit("sql_per_delivery.statements", r.SQL.Statements)
		}
	}
	if r.Temporal != nil {
		visit("temporal_per_delivery.events", &r.Temporal.Events)
		visit("temporal_per_delivery.state_transitions", &r.Temporal.StateTransitions)
	}
	visit("duration_s", &r.DurationS)
	visit("drain_s", &r.DrainS)
	each("memory_peak_mb", r.MemoryMB)
	for call, q := range r.CallsMS {
		quantiles("calls_ms."+call, &q)
		r.CallsMS[call] = q
	}
}

// clone copies everything that figures stores into.
func (r Result) clone() Result {
	r.CPU.ByProcess, r.MemoryMB, r.CallsMS = maps.Clone(r.CPU.ByProcess), maps.Clone(r.MemoryMB), maps.Clone(r.CallsMS)
	if r.SQL != nil {
		sql := *r.SQL
		if sql.Statements != nil {
			statements := *sql.Statements
			sql.Statements = &statements
		}
		r.SQL = &sql
	}
	if r.Temporal != nil {
		workflows := *r.Temporal
		r.Temporal = &workflows
	}
	return r
}

// Combine makes one result of a scenario's runs: medians with their ranges, and sums of what must not get
// lost among them. Its plots are those of the run with the median rate.
func Combine(runs []Result) Result {
	if len(runs) == 1 {
		return runs[0]
	}
	byRate := slices.SortedFunc(slices.Values(runs), func(a, b Result) int {
		return cmp.Compare(a.DeliveredPerS, b.DeliveredPerS)
	})
	values := map[string][]float64{}
	for _, run := range runs {
		run.figures(func(name string, value *float64) { values[name] = append(values[name], *value) })
	}
	combined := byRate[len(byRate)/2].clone()
	combined.Ranges, combined.Runs = map[string][2]float64{}, runs
	combined.figures(func(name string, value *float64) {
		*value = median(values[name])
		combined.Ranges[name] = [2]float64{slices.Min(values[name]), slices.Max(values[name])}
	})
	combined.Lost, combined.Duplicated, combined.Rejected, combined.Refused, combined.Problem = 0, 0, 0, 0, ""
	for _, run := range runs {
		combined.Lost += run.Lost
		combined.Duplicated += run.Duplicated
		combined.Rejected += run.Rejected
		combined.Refused += run.Refused
		combined.Problem = cmp.Or(combined.Problem, run.Problem)
	}
	return combined
}
