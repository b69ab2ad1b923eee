package bench

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"os"
	"slices"
	"strings"
)

//go:embed templates/report.html.tmpl
var templates embed.FS

var page = template.Must(template.New("report.html.tmpl").Funcs(template.FuncMap{
	"ms": ms, "figure": figure, "shown": func(r Result, name string, value float64) string { return r.shown(name, value) },
}).ParseFS(templates, "templates/report.html.tmpl"))

// pageView is what the page shows.
type pageView struct {
	*Report
	When           string
	Cards          []card
	Rate, CPU      plot
	Latency        plot
	Distributions  []smallPlot
	Courses        []smallPlot
	Processes      []string
	Calls          []callRow
	CallSizes      []string
	SettingsJoined string
}

// card is a figure at the top.
type card struct{ Label, Value, Note string }

// callRow is how long a call took in each scenario that timed it.
type callRow struct {
	Name  string
	Times []Quantiles
}

// writeHTML writes the report as a page that needs nothing else.
func (r *Report) writeHTML(file string) error {
	var text bytes.Buffer
	if err := page.Execute(&text, r.view()); err != nil {
		return fmt.Errorf("make the page: %w", err)
	}
	return os.WriteFile(file, text.Bytes(), 0o600)
}

func (r *Report) view() pageView {
	v := pageView{
		Report: r, When: r.StartedAt.Format("2 January 2006, 15:04 MST"), Cards: r.cards(),
		Rate: r.ratePlot(), CPU: r.cpuPlot(), Latency: r.latencyPlot(),
		Distributions: r.distributionPlots(), Courses: r.coursePlots(),
		Processes: r.processes(), SettingsJoined: strings.Join(r.Settings, ", "),
	}
	v.Calls, v.CallSizes = r.callRows()
	return v
}

func (r *Report) cards() []card {
	var lost, duplicated, delivered int
	for _, s := range r.Scenarios {
		lost += s.Lost
		duplicated += s.Duplicated
		delivered += s.Delivered
	}
	cards := []card{
		{"Lost", fmt.Sprint(lost), fmt.Sprintf("of %d measured deliveries", delivered)},
		{"Duplicated", fmt.Sprint(duplicated), "successful attempts beyond the first"},
	}
	if best := r.best("throughput", "fanout"); best != nil {
		cards = append(cards, card{"Most delivered", figure(best.DeliveredPerS) + "/s", best.Name})
	}
	if s := r.scenario("latency-50"); s != nil {
		cards = append(cards, card{"Median at 50/s", ms(s.LatencyMS.P50) + " ms", "p99 " + ms(s.LatencyMS.P99) + " ms, publish to arrival"})
	}
	for _, c := range r.Comparisons {
		if strings.HasPrefix(c.Name, "delivered/s, throughput-c16") {
			cards = append(cards, card{"Of the engine's limit", fmt.Sprintf("%.0f %%", 100*c.Value), "throughput-c16 to floor-c16"})
		}
	}
	return cards
}

// best is the scenario of some groups that delivered most.
func (r *Report) best(groups ...string) *Result {
	var best *Result
	for i, s := range r.Scenarios {
		ours := slices.ContainsFunc(groups, func(group string) bool { return strings.HasPrefix(s.Name, group) })
		if ours && (best == nil || s.DeliveredPerS > best.DeliveredPerS) {
			best = &r.Scenarios[i]
		}
	}
	return best
}

func (r *Report) highest(figure func(Result) float64) float64 {
	var highest float64
	for _, s := range r.Scenarios {
		highest = max(highest, figure(s))
	}
	return highest
}

func (r *Report) ratePlot() plot {
	closed := slices.DeleteFunc(slices.Clone(r.Scenarios), func(s Result) bool { return s.openLoop })
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
		if result.benchWorks || strings.HasPrefix(result.Name, "floor") {
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

func (r *Report) callRows() (rows []callRow, sizes []string) {
	asked := slices.DeleteFunc(slices.Clone(r.Scenarios), func(s Result) bool { return len(s.CallsMS) == 0 })
	if len(asked) == 0 {
		return nil, nil
	}
	for _, s := range asked {
		sizes = append(sizes, s.Name)
	}
	for _, name := range callNames(asked[0]) {
		row := callRow{Name: name}
		for _, s := range asked {
			row.Times = append(row.Times, s.CallsMS[name])
		}
		rows = append(rows, row)
	}
	return rows, sizes
}
