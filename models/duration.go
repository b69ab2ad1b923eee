package models

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"time"
)

// Errors of ParseDuration.
var (
	// ErrBadDuration says that a text is no duration.
	ErrBadDuration = errors.New("expected a duration such as 90s, 24h or 30d")
	// ErrLongDuration says that a duration is longer than can be counted.
	ErrLongDuration = fmt.Errorf("expected a duration of at most %dd, which is 292 years", maxDays)
)

const (
	day     = 24 * time.Hour
	maxDays = int64(math.MaxInt64 / day)
)

var (
	// durationParts are days, which Go does not know, and the rest, which it does.
	durationParts = regexp.MustCompile(`^([+-]?)(?:([0-9]+(?:\.[0-9]*)?|\.[0-9]+)d)?((?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:h|m|s|ms|us|µs|μs|ns))*)$`)
	// secondsAlone is a number as JSON has it.
	secondsAlone = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)
)

// ParseSeconds reads a number of seconds, as JSON has numbers.
func ParseSeconds(number string) (time.Duration, error) {
	if !secondsAlone.MatchString(number) {
		return 0, ErrBadDuration
	}
	return count(number, time.Second)
}

// ParseDuration reads durations wherever a user writes one: 1m30s, and days as in 30d or 1d12h. Only 0 needs no unit:
// who writes 5 as a text may mean minutes.
func ParseDuration(text string) (time.Duration, error) {
	if text == "0" {
		return 0, nil
	}
	parts := durationParts.FindStringSubmatch(text)
	if parts == nil || parts[2]+parts[3] == "" {
		return 0, ErrBadDuration
	}
	var sum time.Duration
	if days := parts[2]; days != "" {
		var err error
		if sum, err = count(days, day); err != nil {
			return 0, err
		}
	}
	if parts[3] != "" {
		rest, err := time.ParseDuration(parts[3])
		if err != nil || rest > math.MaxInt64-sum { // it is well formed
			return 0, ErrLongDuration
		}
		sum += rest
	}
	if parts[1] == "-" {
		sum = -sum
	}
	return sum, nil
}

// count multiplies a unit.
func count(number string, unit time.Duration) (time.Duration, error) {
	if whole, err := strconv.ParseInt(number, 10, 64); err == nil && whole <= math.MaxInt64/int64(unit) && whole >= -math.MaxInt64/int64(unit) {
		return time.Duration(whole) * unit, nil
	}
	units, err := strconv.ParseFloat(number, 64)
	if product := units * float64(unit); err == nil && math.Abs(product) < math.MaxInt64 {
		return time.Duration(math.Round(product)), nil
	}
	return 0, ErrLongDuration
}
