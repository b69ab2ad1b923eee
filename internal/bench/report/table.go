package report

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// WriteTable writes the report for a terminal.
func (r *Report) WriteTable(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(cells ...string) { _, _ = fmt.Fprintln(w, strings.Join(cells, "\t")+"\t") }
	row("", "accepted", "delivered", "publish to arrival, ms", "", "", "", "202", "CPU ms", "SQL per delivery", "", "Temporal", "", "", "")
	row("scenario", "/s", "/s", "p50", "p95", "p99", "max", "p50", "/delivery", "trans.", "statem.", "events", "writes", "lost", "dupl.")
	for _, s := range r.Scenarios {
		row(s.Name, s.shown("accepted_per_s", s.AcceptedPerS), s.shown("delivered_per_s", s.DeliveredPerS),
			ms(s.LatencyMS.P50), ms(s.LatencyMS.P95), ms(s.LatencyMS.P99), ms(s.LatencyMS.Max), ms(s.AnswerMS.P50),
			s.shown("cpu_ms_per_delivery.total", s.CPU.Total), s.SQL.ShownTransactions(), s.SQL.ShownStatements(),
			s.Temporal.ShownEvents(), s.Temporal.ShownTransitions(), fmt.Sprint(s.Lost), fmt.Sprint(s.Duplicated))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := r.writeProcesses(out); err != nil {
		return err
	}
	if err := r.writeCalls(out); err != nil {
		return err
	}
	if len(r.Comparisons) > 0 {
		_, _ = fmt.Fprintln(out)
	}
	for _, c := range r.Comparisons {
		_, _ = fmt.Fprintf(out, "%s: %s\n", c.Name, c)
	}
	for _, s := range r.Scenarios {
		if s.Problem != "" {
			_, _ = fmt.Fprintf(out, "%s: %s\n", s.Name, s.Problem)
		}
	}
	return nil
}

// writeProcesses writes what each process uses.
func (r *Report) writeProcesses(out io.Writer) error {
	names := r.processes()
	if len(names) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintf(w, "\nCPU ms per delivery, memory MB\t%s\tgenerator\t\n", strings.Join(names, "\t"))
	for _, s := range r.Scenarios {
		_, _ = fmt.Fprintf(w, "%s\t", s.Name)
		for _, name := range names {
			if each, ok := s.CPU.ByProcess[name]; ok {
				_, _ = fmt.Fprintf(w, "%.2f  %.0f\t", each, s.MemoryMB[name])
			} else {
				_, _ = fmt.Fprint(w, unknown+"\t")
			}
		}
		if s.CPU.Bench > 0 {
			_, _ = fmt.Fprintf(w, "%.2f  %.0f", s.CPU.Bench, s.MemoryMB[Self])
		}
		_, _ = fmt.Fprintln(w, "\t")
	}
	return w.Flush()
}

// writeCalls writes how long lists took, a column for each scenario that asked for them.
func (r *Report) writeCalls(out io.Writer) error {
	var asked []Result
	for _, s := range r.Scenarios {
		if len(s.CallsMS) > 0 {
			asked = append(asked, s)
		}
	}
	if len(asked) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprint(w, "\nms, p50  p99\t")
	for _, s := range asked {
		_, _ = fmt.Fprint(w, s.Name+"\t")
	}
	_, _ = fmt.Fprintln(w)
	for _, call := range callNames(asked[0]) {
		_, _ = fmt.Fprint(w, call+"\t")
		for _, s := range asked {
			_, _ = fmt.Fprintf(w, "%s  %s\t", ms(s.CallsMS[call].P50), ms(s.CallsMS[call].P99))
		}
		_, _ = fmt.Fprintln(w)
	}
	return w.Flush()
}

func callNames(s Result) []string { return slices.Sorted(maps.Keys(s.CallsMS)) }

// processes are the names of the installation's processes.
func (r *Report) processes() []string {
	names := map[string]bool{}
	for _, s := range r.Scenarios {
		for name := range s.CPU.ByProcess {
			names[name] = true
		}
	}
	return slices.SortedFunc(maps.Keys(names), cmp.Compare)
}

// shown is a figure, with its range when there were several runs.
func (r *Result) shown(name string, value float64) string {
	text := figure(value)
	if bounds, ok := r.Ranges[name]; ok {
		text += fmt.Sprintf(" (%s–%s)", figure(bounds[0]), figure(bounds[1]))
	}
	return text
}

// figure is a number of three digits or more.
func figure(value float64) string {
	switch {
	case value >= 100:
		return fmt.Sprintf("%.0f", value)
	case value >= 10:
		return fmt.Sprintf("%.1f", value)
	default:
		return fmt.Sprintf("%.2f", value)
	}
}

func ms(value float64) string {
	if value >= 100 {
		return fmt.Sprintf("%.0f", value)
	}
	return fmt.Sprintf("%.1f", value)
}

// unknown stands for a figure that could not be measured.
const unknown = "-"

// ShownTransactions is the figure, or a dash when it is not known; the others are alike.
func (s *SQL) ShownTransactions() string {
	if s == nil {
		return unknown
	}
	return figure(s.Transactions)
}

// ShownStatements is the figure or a dash.
func (s *SQL) ShownStatements() string {
	if s == nil || s.Statements == nil {
		return unknown
	}
	return figure(*s.Statements)
}

// ShownEvents is the figure or a dash.
func (t *Workflows) ShownEvents() string {
	if t == nil {
		return unknown
	}
	return figure(t.Events)
}

// ShownTransitions is the figure or a dash.
func (t *Workflows) ShownTransitions() string {
	if t == nil {
		return unknown
	}
	return figure(t.StateTransitions)
}
