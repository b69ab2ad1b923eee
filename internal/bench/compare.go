package bench

import (
	"fmt"
	"strings"
)

// Comparison is a scenario's figure as a share of another's.
type Comparison struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
}

// compare fills in the comparisons of scenarios that were measured.
func (r *Report) compare() {
	r.Comparisons = []Comparison{}
	share := func(what, of, to string, figure func(Result) float64) {
		a, b := r.scenario(of), r.scenario(to)
		if a == nil || b == nil || figure(*b) == 0 {
			return
		}
		r.Comparisons = append(r.Comparisons, Comparison{
			Name: fmt.Sprintf("%s, %s to %s", what, of, to), Value: figure(*a) / figure(*b),
		})
	}
	rate := func(r Result) float64 { return r.DeliveredPerS }
	processorTime := func(r Result) float64 { return r.CPU.Total }
	p99 := func(r Result) float64 { return r.LatencyMS.P99 }
	for _, concurrency := range []string{"c16", "c64"} {
		share("delivered/s", "throughput-"+concurrency, "floor-"+concurrency, rate)
		share("CPU", "throughput-"+concurrency, "floor-"+concurrency, processorTime)
	}
	share("p99", "noisy", "noisy-without", p99)
	for _, size := range []string{"growth-100k", "growth-1m"} {
		share("CPU", size, "growth-1k", processorTime)
		share("p50", size, "growth-1k", func(r Result) float64 { return r.LatencyMS.P50 })
		share("202 p50", size, "growth-1k", func(r Result) float64 { return r.AnswerMS.P50 })
	}
}

func (r *Report) scenario(name string) *Result {
	for i := range r.Scenarios {
		if strings.EqualFold(r.Scenarios[i].Name, name) {
			return &r.Scenarios[i]
		}
	}
	return nil
}
