package view

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/models"
)

// NewTimeLine draws the attempts of a delivery, in the order in which they were made, up to the next or to a time.
func NewTimeLine(d models.Delivery, attempts []service.Attempt) TimeLine {
	line := TimeLine{Next: -1}
	if len(attempts) == 0 {
		return line
	}
	begin, end := attempts[0].StartedAt, attempts[len(attempts)-1].StartedAt
	if d.NextAttemptAt != nil && !d.Status.Finished() && d.NextAttemptAt.After(end) {
		end = *d.NextAttemptAt
	}
	whole := max(end.Sub(begin), time.Second)
	at := func(t time.Time) float64 { return 1000 * float64(t.Sub(begin)) / float64(whole) }
	for i, a := range attempts {
		mark := Mark{At: at(a.StartedAt), Number: a.Number, Good: a.ErrorClass == ""}
		if i > 0 {
			mark.Waited = Span(a.StartedAt.Sub(attempts[i-1].StartedAt))
		}
		line.Marks = append(line.Marks, mark)
	}
	if d.NextAttemptAt != nil && end.Equal(*d.NextAttemptAt) {
		line.Next = 1000
	}
	line.Whole = Span(end.Sub(begin))
	return line
}

// said is the time line for who does not see it.
func (l TimeLine) said() string {
	parts := make([]string, len(l.Marks))
	for i, m := range l.Marks {
		outcome := "failed"
		if m.Good {
			outcome = "succeeded"
		}
		parts[i] = fmt.Sprintf("attempt %d %s", m.Number, outcome)
		if m.Waited != "" {
			parts[i] += " after " + m.Waited
		}
	}
	return strings.Join(parts, ", ")
}

func place(at float64) string { return strconv.FormatFloat(20+at, 'f', 1, 64) }

func markClass(m Mark) string {
	if m.Good {
		return "good"
	}
	return "bad"
}
