package view

import (
	"context"
	"strconv"
	"time"

	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/models"
)

// Overview is how everything does.
type Overview struct {
	// Range is the one of Ranges that is shown; empty for another time.
	Range  string
	Ranges []string
	// Steps lead to the first delivery; nil when that was long ago.
	Steps *FirstSteps
	// Told is nil before the first delivery. It may miss what happened just now: then Again is when to ask again.
	Told  *service.Overview
	Again time.Duration
}

// FirstSteps are what leads to the first delivery: each is nil until it is done. Receiver is the URL of the built-in receiver;
// empty for none.
type FirstSteps struct {
	Receiver  string
	Webhook   *models.Webhook
	Event     *models.Event
	Delivery  *models.Delivery
	Delivered bool
}

// sum is what happened in the whole time.
func sum(points []service.Point) (all models.Tally) {
	for _, point := range points {
		all.Add(point.Tally)
	}
	return all
}

// succeededShare is the part of attempts that succeeded, in percent; false when there are none.
func succeededShare(t models.Tally) (float64, bool) {
	if t.Attempts == 0 {
		return 0, false
	}
	return 100 * float64(t.Attempts-t.Failed) / float64(t.Attempts), true
}

// percent is a share as people read it. It is 100 % only when all is.
func percent(t models.Tally) string {
	value, some := succeededShare(t)
	switch {
	case !some:
		return "–"
	case value > 99.9 && value < 100:
		return "99.9 %"
	}
	return strconv.FormatFloat(value, 'f', 1, 64) + " %"
}

// quantile is what a share of times does not exceed, as people read it.
func quantile(h models.Histogram, of float64) string {
	if ms, some := h.Quantile(of); some {
		return Took(ms)
	}
	return "–"
}

// The same for the charts; empty where there is nothing.

func sharePoint(t models.Tally) string {
	if value, some := succeededShare(t); some {
		return strconv.FormatFloat(value, 'f', 2, 64)
	}
	return ""
}

func tookPoint(h models.Histogram, of float64) string {
	if ms, some := h.Quantile(of); some {
		return strconv.FormatInt(ms, 10)
	}
	return ""
}

func figure(n int64) string { return strconv.FormatInt(n, 10) }

// madeIn is the list of the deliveries made in a time.
func madeIn(ctx context.Context, from time.Time, long time.Duration, query ...string) string {
	return to(ctx, "/deliveries", append([]string{"since", exact(from), "until", exact(from.Add(long))}, query...)...)
}

// field is a time as a browser's field takes it.
func field(at time.Time) string { return at.UTC().Format("2006-01-02T15:04") }

// rangeTitle says a range in words.
func rangeTitle(name string) string {
	switch name {
	case "24h":
		return "24 hours"
	case "7d":
		return "7 days"
	case "30d":
		return "30 days"
	}
	return name
}

// counted is a number, of which there may be more.
func counted(n int64, more bool) string {
	if more {
		return Count(n) + "+"
	}
	return Count(n)
}
