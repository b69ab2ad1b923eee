package view

import (
	"context"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/service"
)

// Bars are points as columns: what was delivered, and the failures above it.
type Bars struct {
	Points        []service.Point
	Width, Height float64
	// Link leads to what happened in a point; nil for no links.
	Link func(ctx context.Context, from, to time.Time) string
}

// gap is between two columns, in parts of one.
const gap = 0.25

func (b Bars) size() string { return "0 0 " + number(b.Width) + " " + number(b.Height) }

// tallest is the greatest number of attempts with an end.
func (b Bars) tallest() float64 {
	most := int64(1)
	for _, point := range b.Points {
		most = max(most, point.Delivered+point.Failed)
	}
	return float64(most)
}

func (b Bars) step() float64 { return b.Width / float64(max(1, len(b.Points))) }

func (b Bars) left(i int) string { return coordinate(float64(i) * b.step()) }

func (b Bars) thick() string { return coordinate(b.step() * (1 - gap)) }

// height is that of a number, and at least what can be seen of one that is not 0.
func (b Bars) height(n int64) float64 {
	if n == 0 {
		return 0
	}
	return max(1.5, float64(n)/b.tallest()*(b.Height-3))
}

func (b Bars) goodTop(p service.Point) string { return coordinate(b.Height - b.height(p.Delivered)) }

func (b Bars) badTop(p service.Point) string {
	return coordinate(b.Height - b.height(p.Delivered) - b.height(p.Failed))
}

// good and bad are the columns as two paths: a list has many of them.
func (b Bars) good() string {
	return b.path(func(p service.Point) (int64, string, string) { return p.Delivered, number(b.Height), b.goodTop(p) })
}

func (b Bars) bad() string {
	return b.path(func(p service.Point) (int64, string, string) { return p.Failed, b.goodTop(p), b.badTop(p) })
}

func (b Bars) path(of func(service.Point) (n int64, from, to string)) string {
	var path strings.Builder
	for i, point := range b.Points {
		if n, from, to := of(point); n > 0 {
			path.WriteString("M" + b.left(i) + " " + from + "V" + to + "h" + b.thick() + "V" + from + "z")
		}
	}
	return path.String()
}

// role is a picture, or a group of links.
func (b Bars) role() string {
	if b.Link != nil {
		return "group"
	}
	return "img"
}

// said is the columns for who does not see them.
func (b Bars) said(ctx context.Context) string {
	all := sum(b.Points)
	return say(ctx, "in the last 24 hours: %s delivered, %s attempts failed, %s given up", Count(all.Delivered), Count(all.Failed), Count(all.GivenUp))
}

// pointSaid is one column in words.
func pointSaid(ctx context.Context, p service.Point) string {
	return say(ctx, "%s: %s delivered, %s attempts failed, %s given up", plain(p.From), Count(p.Delivered), Count(p.Failed), Count(p.GivenUp))
}

// number is one as people type it.
func number(of float64) string { return strconv.FormatFloat(of, 'f', -1, 64) }

// coordinate is a place within a picture, exact enough to be seen.
func coordinate(of float64) string { return number(math.Round(of*10) / 10) }
