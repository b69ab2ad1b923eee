package report

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

// WriteHTML writes the report as a page that needs nothing else.
func (r *Report) WriteHTML(file string) error {
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
