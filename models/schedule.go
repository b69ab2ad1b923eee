package models

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"time"
)

// RetrySchedule lists the waits after the first, second … failed attempt. A schedule of five waits makes six
// attempts; an empty one makes a single attempt. As text it is `1m,5m,25m,2h,10h`.
type RetrySchedule []time.Duration

// The bounds of a schedule that a user may ask for.
const (
	MaxRetries  = 20
	MinWait     = time.Second
	MaxWait     = 7 * 24 * time.Hour
	noRetriesAs = "none"
)

// DefaultRetrySchedule makes six attempts within about twelve and a half hours.
func DefaultRetrySchedule() RetrySchedule {
	return RetrySchedule{time.Minute, 5 * time.Minute, 25 * time.Minute, 2 * time.Hour, 10 * time.Hour}
}

// ParseRetrySchedule reads `1m,5m,25m` ("none" or "" for no retries) and checks its bounds.
func ParseRetrySchedule(text string) (RetrySchedule, error) {
	if text = strings.TrimSpace(text); text == "" || text == noRetriesAs {
		return RetrySchedule{}, nil
	}
	return RetryScheduleOf(strings.Split(text, ","))
}

// RetryScheduleOf reads one duration from each text and checks the schedule's bounds.
func RetryScheduleOf(texts []string) (RetrySchedule, error) {
	if len(texts) > MaxRetries {
		return nil, fmt.Errorf("a retry schedule has at most %d waits, not %d", MaxRetries, len(texts))
	}
	schedule := make(RetrySchedule, len(texts))
	for i, text := range texts {
		wait, err := ParseDuration(strings.TrimSpace(text))
		if errors.Is(err, ErrBadDuration) {
			return nil, fmt.Errorf("wait %d, %.40q, is not a duration such as 90s, 5m, 2h or 3d", i+1, text)
		}
		if err != nil || wait < MinWait || wait > MaxWait {
			return nil, fmt.Errorf("wait %d, %.40q, is not between %s and %s", i+1, text, MinWait, FormatDuration(MaxWait))
		}
		schedule[i] = wait
	}
	return schedule, nil
}

// FormatDuration writes a duration without the zero units that time.Duration adds: 1m, not 1m0s.
func FormatDuration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// Texts returns each wait as text.
func (r RetrySchedule) Texts() []string {
	texts := make([]string, len(r))
	for i, wait := range r {
		texts[i] = FormatDuration(wait)
	}
	return texts
}

// String writes what ParseRetrySchedule reads.
func (r RetrySchedule) String() string {
	if len(r) == 0 {
		return noRetriesAs
	}
	return strings.Join(r.Texts(), ",")
}

// UnmarshalText reads a schedule from a flag or an environment variable.
func (r *RetrySchedule) UnmarshalText(text []byte) error {
	schedule, err := ParseRetrySchedule(string(text))
	if err != nil {
		return err
	}
	*r = schedule
	return nil
}

// GormDataType tells gorm the column's type, which it cannot tell from a nil schedule.
func (RetrySchedule) GormDataType() string { return "string" }

// Value stores the schedule as its text; nil, which means the installation's schedule, as NULL.
func (r RetrySchedule) Value() (driver.Value, error) {
	if r == nil {
		return nil, nil //nolint:nilnil // NULL is a value of its own here
	}
	return r.String(), nil
}

// Scan reads what Value wrote.
func (r *RetrySchedule) Scan(value any) error {
	switch text := value.(type) {
	case nil:
		*r = nil
		return nil
	case string:
		return r.UnmarshalText([]byte(text))
	case []byte:
		return r.UnmarshalText(text)
	}
	return errors.New("a retry schedule is stored as text")
}
