package report

import (
	"fmt"
	"time"

	"github.com/postrider/postrider/internal/bench/load"
)

// Self is how the load generator is listed where it is measured itself.
const Self = "bench"

// Result has a scenario's figures. Of several runs each figure is the median; lost, duplicated, rejected and
// refused are sums.
type Result struct {
	Name          string    `json:"name"`
	Help          string    `json:"description"`
	AcceptedPerS  float64   `json:"accepted_per_s"`
	DeliveredPerS float64   `json:"delivered_per_s"`
	LatencyMS     Quantiles `json:"latency_ms"`
	CPU           CPU       `json:"cpu_ms_per_delivery"`
	// SQL is null when Postrider's database is not known, Temporal when Temporal is not.
	SQL        *SQL       `json:"sql_per_delivery"`
	Temporal   *Workflows `json:"temporal_per_delivery"`
	Lost       int        `json:"lost"`
	Duplicated int        `json:"duplicated"`

	// AnswerMS is how long publishers waited for the 202, from when publishing was due.
	AnswerMS Quantiles `json:"answer_ms"`
	// Accepted and Delivered are how many were measured; Rejected events were not answered with 202; Refused
	// requests were refused by a receiver on purpose.
	Accepted  int `json:"accepted"`
	Delivered int `json:"delivered"`
	Rejected  int `json:"rejected"`
	Refused   int `json:"refused"`
	// DurationS is how long was published, DrainS how much longer until all had arrived.
	DurationS float64 `json:"duration_s"`
	DrainS    float64 `json:"drain_s"`
	// MemoryMB is the most that each process had in memory.
	MemoryMB map[string]float64 `json:"memory_peak_mb"`
	// Calls are how long other calls of the API took, by name.
	CallsMS map[string]Quantiles `json:"calls_ms,omitempty"`
	// Problem is what a reader must know about the figures.
	Problem string `json:"problem,omitempty"`
	// Ranges are the lowest and highest value of several runs, Runs their results.
	Ranges map[string][2]float64 `json:"ranges,omitempty"`
	Runs   []Result              `json:"runs,omitempty"`

	// BenchWorks says that this process is part of what is measured.
	BenchWorks bool `json:"-"`
	// OpenLoop says that the rate was given by the load.
	OpenLoop bool `json:"-"`
	// distribution are the latencies' quantiles from 0 to 1 in milliseconds, perSecond the deliveries in each
	// second, both for plots.
	distribution []float64
	perSecond    []int
}

// CPU is processor time in milliseconds for each delivery.
type CPU struct {
	// Total is that of the installation's processes.
	Total     float64            `json:"total"`
	ByProcess map[string]float64 `json:"by_process"`
	// Bench is that of the load generator and receiver, which is not part of the total.
	Bench float64 `json:"bench"`
}

// SQL is what Postrider's own database did for a delivery. BEGIN, COMMIT and ROLLBACK are no statements here.
type SQL struct {
	Transactions float64 `json:"transactions"`
	// Statements is null without pg_stat_statements.
	Statements *float64 `json:"statements"`
}

// distributionSteps are the steps of a plot's distribution.
const distributionSteps = 200

// Account fills in what the reconciliation says. Times are counted from the ledger's beginning.
func (r *Result) Account(a load.Account, began, stopped time.Duration) {
	r.Accepted, r.Delivered, r.Rejected, r.Refused = a.Accepted, a.Delivered, a.Rejected, a.Refusals
	r.Lost, r.Duplicated = a.Lost, a.Duplicated
	r.DurationS = (stopped - began).Seconds()
	r.AcceptedPerS = float64(a.Accepted) / r.DurationS
	inTime := 0
	for _, at := range a.Arrivals {
		if at <= stopped {
			inTime++
		}
		r.DrainS = max(r.DrainS, (at - stopped).Seconds())
		second := int((at - began) / time.Second)
		for len(r.perSecond) <= second {
			r.perSecond = append(r.perSecond, 0)
		}
		r.perSecond[second]++
	}
	r.DeliveredPerS = float64(inTime) / r.DurationS
	r.LatencyMS, r.AnswerMS = QuantilesOf(a.Latencies), QuantilesOf(a.Answers)
	for step := range distributionSteps + 1 {
		r.distribution = append(r.distribution, milliseconds(quantile(a.Latencies, float64(step)/distributionSteps)))
	}
}

// Use fills in the cost of a delivery from what the processes had used before and after.
func (r *Result) Use(before, after map[string]time.Duration, memory map[string]int64, deliveries int) {
	r.MemoryMB, r.CPU.ByProcess = map[string]float64{}, map[string]float64{}
	for name, bytes := range memory {
		r.MemoryMB[name] = float64(bytes) / (1 << 20)
	}
	for name, used := range after {
		each := milliseconds(used-before[name]) / float64(max(deliveries, 1))
		if name == Self && !r.BenchWorks {
			r.CPU.Bench = each
			continue
		}
		r.CPU.ByProcess[name] = each
		r.CPU.Total += each
	}
}

// Summary is a line about a result.
func (r *Result) Summary() string {
	return fmt.Sprintf("%s: %s delivered/s, p50 %s ms, p99 %s ms, %s ms of CPU per delivery, %d lost, %d duplicated",
		r.Name, figure(r.DeliveredPerS), ms(r.LatencyMS.P50), ms(r.LatencyMS.P99), figure(r.CPU.Total), r.Lost, r.Duplicated)
}

// Workflows is what Temporal did for one delivery.
type Workflows struct {
	// Events is the length of the history, StateTransitions how often the workflow's state was written.
	Events           float64 `json:"events"`
	StateTransitions float64 `json:"state_transitions"`
}
