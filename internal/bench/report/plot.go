package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// The parts of a plot in the units of its SVG: labels at the left, values at the right of what is drawn.
const (
	plotWidth  = 760.0
	plotLeft   = 150.0
	plotRight  = 660.0
	rowHeight  = 28.0
	barHeight  = 16.0
	axisHeight = 26.0
	minTicks   = 3
)

// plot is a chart of one row for each scenario.
type plot struct {
	Title, Note   string
	Width, Height float64
	Bottom        float64 // where rows end and the axis begins
	Ticks         []tick
	Rows          []plotRow
	Legend        []legendItem
}

// tick is a line across a plot, with what it stands for.
type tick struct {
	At    float64
	Label string
}

// plotRow is one line of a plot: bars, or marks with a line through them.
type plotRow struct {
	Label, Help string
	Y, Middle   float64
	Bars        []bar
	Marks       []mark
	// From and To are the ends of the line through the marks, or of a range; none when they are equal.
	From, To float64
	ValueX   float64
	Value    string
}

type bar struct {
	X, Y, Width, Height float64
	Color               int
	Title               string
}

type mark struct {
	X, Y  float64
	Color int
	Title string
}

// legendItem explains a color.
type legendItem struct {
	Color int
	Label string
}

// scale maps values to positions.
type scale struct {
	from, to float64 // values
	log      bool
	left     float64
	right    float64
}

func (s scale) at(value float64) float64 {
	from, to := s.from, s.to
	if s.log {
		from, to, value = math.Log10(from), math.Log10(to), math.Log10(max(value, s.from))
	}
	if to <= from {
		return s.left
	}
	return round(s.left + (s.right-s.left)*min(1, max(0, (value-from)/(to-from))))
}

// linearScale begins at 0 and ends at a round number.
func linearScale(highest, left, right float64) (scale, []float64) {
	step := roundStep(highest / (minTicks + 1))
	s := scale{to: step * max(1, math.Ceil(highest/step)), left: left, right: right}
	var ticks []float64
	for value := 0.0; value <= s.to*1.0001; value += step {
		ticks = append(ticks, value)
	}
	return s, ticks
}

// logScale covers whole powers of ten.
func logScale(lowest, highest, left, right float64) (scale, []float64) {
	const least = 0.1 // milliseconds
	low := math.Floor(math.Log10(max(lowest, least)))
	high := max(low+1, math.Ceil(math.Log10(max(highest, least))))
	s := scale{from: math.Pow(10, low), to: math.Pow(10, high), log: true, left: left, right: right}
	var ticks []float64
	for power := low; power <= high; power++ {
		ticks = append(ticks, math.Pow(10, power))
	}
	return s, ticks
}

// roundStep is the next of 1, 2, 5, 10, 20 … that is not smaller.
func roundStep(step float64) float64 {
	if step <= 0 {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(step)))
	for _, factor := range []float64{1, 2, 5} {
		if factor*power >= step*0.9999 {
			return factor * power
		}
	}
	return 10 * power
}

func round(value float64) float64 { return math.Round(value*10) / 10 }

func ticksAt(s scale, values []float64, label func(float64) string) []tick {
	ticks := make([]tick, len(values))
	for i, value := range values {
		ticks[i] = tick{At: s.at(value), Label: label(value)}
	}
	return ticks
}

// newPlot has room for rows.
func newPlot(title, note string, rows int) plot {
	bottom := float64(rows) * rowHeight
	return plot{Title: title, Note: note, Width: plotWidth, Height: bottom + axisHeight, Bottom: bottom}
}

// row adds a row and returns it.
func (p *plot) row(s Result) *plotRow {
	y := float64(len(p.Rows)) * rowHeight
	p.Rows = append(p.Rows, plotRow{Label: s.Name, Help: s.Help, Y: y, Middle: y + rowHeight/2})
	return &p.Rows[len(p.Rows)-1]
}

// stack adds a bar at the end of the row's bars.
func (r *plotRow) stack(s scale, from, to float64, color int, title string) {
	x := s.at(from)
	r.Bars = append(r.Bars, bar{
		X: x, Y: r.Middle - barHeight/2, Width: max(0, round(s.at(to)-x)), Height: barHeight, Color: color, Title: title,
	})
	r.ValueX = s.at(to) + 6
}

// line is a curve in a small plot.
type line struct {
	Label  string
	Color  int
	Points string
	Title  string
}

// smallPlot is one of several plots beside each other.
type smallPlot struct {
	Title         string
	Width, Height float64
	// Left, Right, Top and Bottom are the edges of what is drawn.
	Left, Right, Top, Bottom float64
	X, Y                     []tick
	Lines                    []line
}

func newSmallPlot(title string) smallPlot {
	return smallPlot{Title: title, Width: 372, Height: 210, Left: 52, Right: 350, Top: 10, Bottom: 184}
}

// polyline is the points attribute of a curve.
func polyline(xs, ys []float64) string {
	points := make([]string, len(xs))
	for i := range xs {
		points[i] = strconv.FormatFloat(xs[i], 'f', -1, 64) + "," + strconv.FormatFloat(ys[i], 'f', -1, 64)
	}
	return strings.Join(points, " ")
}

// duration is a tick of a time axis, given milliseconds.
func duration(ms float64) string {
	if ms >= 1000 || ms == 0 {
		return fmt.Sprintf("%g s", ms/1000)
	}
	return fmt.Sprintf("%g ms", ms)
}

func plain(value float64) string { return fmt.Sprintf("%g", round(value)) }
