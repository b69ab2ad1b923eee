package report

import (
	"fmt"
	"slices"
	"strings"
)

// Comparison is a scenario's figure as a share of another's. Of several runs each has its share, so that what
// slows the machine for a while slows both; Value is their median, Range the lowest and highest.
type Comparison struct {
	Name  string      `json:"name"`
	Value float64     `json:"value"`
	Range *[2]float64 `json:"range,omitempty"`
}

// Compare fills in the comparisons of scenarios that were measured.
func (r *Report) Compare() {
	r.Comparisons = []Comparison{}
	share := func(what, of, to string, figure func(Result) float64) {
		a, b := r.scenario(of), r.scenario(to)
		if a == nil || b == nil {
			return
		}
		if shares := sharesOf(*a, *b, figure); len(shares) > 0 {
			r.Comparisons = append(r.Comparisons, comparison(fmt.Sprintf("%s, %s to %s", what, of, to), shares))
		}
	}
	rate := func(r Result) float64 { return r.DeliveredPerS }
	processorTime := func(r Result) float64 { return r.CPU.Total }
	p99 := func(r Result) float64 { return r.LatencyMS.P99 }
	for _, concurrency := range []string{"c16", "c64"} {
		share("delivered/s", "throughput-"+concurrency, "floor-"+concurrency, rate)
		share("CPU", "throughput-"+concurrency, "floor-"+concurrency, processorTime)
	}
	share("p99", "noisy", "noisy-without", p99)
	share("CPU", "ordered", "ordered-without", processorTime)
	for _, size := range []string{"growth-100k", "growth-1m"} {
		share("CPU", size, "growth-1k", processorTime)
		share("p50", size, "growth-1k", func(r Result) float64 { return r.LatencyMS.P50 })
		share("202 p50", size, "growth-1k", func(r Result) float64 { return r.AnswerMS.P50 })
	}
}

// sharesOf returns the share in each run that has both figures.
func sharesOf(a, b Result, figure func(Result) float64) []float64 {
	runsOfA, runsOfB := a.Runs, b.Runs
	if len(runsOfA) == 0 || len(runsOfA) != len(runsOfB) {
		runsOfA, runsOfB = []Result{a}, []Result{b}
	}
	var shares []float64
	for i := range runsOfA {
		if whole := figure(runsOfB[i]); whole != 0 {
			shares = append(shares, figure(runsOfA[i])/whole)
		}
	}
	return shares
}

func comparison(name string, shares []float64) Comparison {
	c := Comparison{Name: name, Value: median(shares)}
	if len(shares) > 1 {
		c.Range = &[2]float64{slices.Min(shares), slices.Max(shares)}
	}
	return c
}

// String is the value with its range, such as `0.79 (0.75–0.83)`.
func (c Comparison) String() string {
	if c.Range == nil {
		return fmt.Sprintf("%.2f", c.Value)
	}
	return fmt.Sprintf("%.2f (%.2f–%.2f)", c.Value, c.Range[0], c.Range[1])
}

func (r *Report) scenario(name string) *Result {
	for i := range r.Scenarios {
		if strings.EqualFold(r.Scenarios[i].Name, name) {
			return &r.Scenarios[i]
		}
	}
	return nil
}
