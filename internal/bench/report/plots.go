package report

import (
	"fmt"
	"slices"
	"strings"
)

func (r *Report) ratePlot() plot {
	closed := slices.DeleteFunc(slices.Clone(r.Scenarios), func(s Result) bool { return s.OpenLoop })
	p := newPlot("Deliveries per second",
		"What arrived while the load lasted, in closed loops: a new event follows each that has arrived. Thin lines are the range of several runs.", len(closed))
	const name = "delivered_per_s"
	var highest float64
	for _, s := range closed {
		highest = max(highest, s.DeliveredPerS, s.Ranges[name][1])
	}
	s, ticks := linearScale(highest, plotLeft, plotRight)
	p.Ticks = ticksAt(s, ticks, plain)
	for _, result := range closed {
		row := p.row(result)
		color := 0
		if result.BenchWorks || strings.HasPrefix(result.Name, "floor") {
			color = 1
		}
		row.stack(s, 0, result.DeliveredPerS, color, result.shown(name, result.DeliveredPerS)+" delivered/s")
		if bounds, ok := result.Ranges[name]; ok {
			row.From, row.To = s.at(bounds[0]), s.at(bounds[1])
			row.ValueX = max(row.ValueX, row.To+6)
		}
		row.Value = figure(result.DeliveredPerS)
	}
	p.Legend = []legendItem{{0, "Postrider"}, {1, "workflows that do nothing: the engine's limit"}}
	return p
}

func (r *Report) cpuPlot() plot {
	p := newPlot("Processor time for each delivery, in milliseconds",
		"Everything that the processes used from the first event until they were idle again. The load generator and receiver are not in it.", len(r.Scenarios))
	s, ticks := linearScale(r.highest(func(s Result) float64 { return s.CPU.Total }), plotLeft, plotRight)
	p.Ticks = ticksAt(s, ticks, plain)
	names := r.processes()
	for _, result := range r.Scenarios {
		row := p.row(result)
		var sum float64
		for i, name := range names {
			each := result.CPU.ByProcess[name]
			row.stack(s, sum, sum+each, i, fmt.Sprintf("%s: %.2f ms", name, each))
			sum += each
		}
		row.Value = figure(result.CPU.Total)
	}
	for i, name := range names {
		p.Legend = append(p.Legend, legendItem{i, name})
	}
	return p
}

func (r *Report) latencyPlot() plot {
	p := newPlot("From publish to arrival",
		"Counted from when publishing was due, on a logarithmic axis. At the right: p50 / p99 in milliseconds.", len(r.Scenarios))
	lowest := r.highest(func(s Result) float64 { return s.LatencyMS.Max })
	for _, result := range r.Scenarios {
		if result.Delivered > 0 {
			lowest = min(lowest, result.LatencyMS.P50)
		}
	}
	s, ticks := logScale(lowest, r.highest(func(s Result) float64 { return s.LatencyMS.Max }), plotLeft, plotRight)
	p.Ticks = ticksAt(s, ticks, duration)
	for _, result := range r.Scenarios {
		row := p.row(result)
		if result.Delivered == 0 {
			continue
		}
		q := result.LatencyMS
		for i, value := range []float64{q.P50, q.P95, q.P99, q.Max} {
			title := fmt.Sprintf("%s: %s ms", quantileNames[i], ms(value))
			row.Marks = append(row.Marks, mark{X: s.at(value), Y: row.Middle, Color: quantileColors + i, Title: title})
		}
		row.From, row.To = row.Marks[0].X, row.Marks[len(row.Marks)-1].X
		row.ValueX, row.Value = row.To+10, ms(q.P50)+" / "+ms(q.P99)
	}
	for i, name := range quantileNames {
		p.Legend = append(p.Legend, legendItem{quantileColors + i, name})
	}
	return p
}

// quantileColors are shades of one color, where the others tell kinds apart.
const quantileColors = 10

var quantileNames = []string{"p50", "p95", "p99", "max"}

// byGroup splits the scenarios that have something to draw.
func (r *Report) byGroup(drawn func(Result) bool) [][]Result {
	var all [][]Result
	last := ""
	for _, s := range r.Scenarios {
		if !drawn(s) {
			continue
		}
		group, _, _ := strings.Cut(s.Name, "-")
		if group != last {
			all = append(all, nil)
		}
		all[len(all)-1] = append(all[len(all)-1], s)
		last = group
	}
	return all
}

// distributionPlots show which share of deliveries took how long at most, a plot for each group.
func (r *Report) distributionPlots() []smallPlot {
	var plots []smallPlot
	for _, group := range r.byGroup(func(s Result) bool { return len(s.distribution) > 0 && s.Delivered > 0 }) {
		name, _, _ := strings.Cut(group[0].Name, "-")
		p := newSmallPlot(name)
		lowest, highest := group[0].distribution[0], 0.0
		for _, s := range group {
			lowest, highest = min(lowest, s.distribution[0]), max(highest, s.LatencyMS.Max)
		}
		x, xTicks := logScale(lowest, highest, p.Left, p.Right)
		y := scale{to: 1, left: p.Bottom, right: p.Top}
		p.X = ticksAt(x, xTicks, duration)
		p.Y = ticksAt(y, []float64{0, 0.5, 1}, func(share float64) string { return fmt.Sprintf("%.0f %%", 100*share) })
		for i, s := range group {
			xs, ys := make([]float64, len(s.distribution)), make([]float64, len(s.distribution))
			for step, value := range s.distribution {
				xs[step], ys[step] = x.at(value), y.at(float64(step)/float64(len(s.distribution)-1))
			}
			p.Lines = append(p.Lines, line{Label: s.Name, Color: i, Points: polyline(xs, ys), Title: s.Help})
		}
		plots = append(plots, p)
	}
	return plots
}

// coursePlots show the deliveries in each second, a plot for each group.
func (r *Report) coursePlots() []smallPlot {
	var plots []smallPlot
	for _, group := range r.byGroup(func(s Result) bool { return len(s.perSecond) > 1 }) {
		name, _, _ := strings.Cut(group[0].Name, "-")
		p := newSmallPlot(name)
		most, seconds := 0, 1
		for _, s := range group {
			most, seconds = max(most, slices.Max(s.perSecond)), max(seconds, len(s.perSecond))
		}
		y, yTicks := linearScale(float64(most), p.Bottom, p.Top)
		x, xTicks := linearScale(float64(seconds), p.Left, p.Right)
		p.X = ticksAt(x, xTicks, func(s float64) string { return duration(1000 * s) })
		p.Y = ticksAt(y, yTicks, plain)
		for i, s := range group {
			xs, ys := make([]float64, len(s.perSecond)), make([]float64, len(s.perSecond))
			for second, n := range s.perSecond {
				xs[second], ys[second] = x.at(float64(second)+0.5), y.at(float64(n))
			}
			p.Lines = append(p.Lines, line{Label: s.Name, Color: i, Points: polyline(xs, ys), Title: s.Help})
		}
		plots = append(plots, p)
	}
	return plots
}
