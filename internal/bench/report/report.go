// Package report holds the figures of scenarios and writes them as a table, as JSON and as a page with plots.
package report

import (
	"encoding/json"
	"os"
	"time"
)

// Report is everything that was measured.
type Report struct {
	StartedAt time.Time `json:"started_at"`
	// Installation says what was measured, Machine on what, Settings which settings were not the usual ones.
	Installation string   `json:"installation"`
	Machine      string   `json:"machine"`
	Settings     []string `json:"settings"`
	// DurationS is how long each scenario published, PayloadBytes the size of an event's data.
	DurationS    float64 `json:"duration_s"`
	PayloadBytes int     `json:"payload_bytes"`
	Runs         int     `json:"runs"`
	// IdleMSPerS is the processor time that each process uses per second while nothing is published. It is part
	// of what deliveries cost.
	IdleMSPerS map[string]float64 `json:"idle_cpu_ms_per_s"`
	Scenarios  []Result           `json:"scenarios"`
	// Comparisons compare scenarios.
	Comparisons []Comparison `json:"comparisons"`
}

// SetIdle fills in what the processes use when idle, in processors by name, unless that is known already.
func (r *Report) SetIdle(cores map[string]float64) {
	if r.IdleMSPerS != nil {
		return
	}
	r.IdleMSPerS = map[string]float64{}
	for name, busy := range cores {
		r.IdleMSPerS[name] = busy * 1000
	}
}

// WriteJSON writes the report to a file.
func (r *Report) WriteJSON(file string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o600)
}
