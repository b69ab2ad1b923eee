package attempt

import (
	"math"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/postrider/postrider/models"
)

// maxRetryAfter is the longest wait that a receiver can ask for.
const maxRetryAfter = 24 * time.Hour

// retryAfter reads the Retry-After header of a 429 or 503 (RFC 9110, section 10.2.3): seconds or a date. Forms
// that can mean only one thing are understood although HTTP does not know them; what makes no sense counts as
// absent. Of several values the longest counts, and nobody can ask for more than maxRetryAfter.
func retryAfter(attempt models.Attempt, header http.Header, now time.Time) time.Duration {
	if attempt.StatusCode == nil ||
		(*attempt.StatusCode != http.StatusTooManyRequests && *attempt.StatusCode != http.StatusServiceUnavailable) {
		return 0
	}
	var longest time.Duration
	for _, line := range header.Values("Retry-After") {
		values := []string{line}
		if !strings.ContainsFunc(line, isLetter) { // a date has a comma of its own
			values = strings.Split(line, ",")
		}
		for _, value := range values {
			longest = max(longest, waitOf(strings.TrimSpace(value), now))
		}
	}
	return min(longest, maxRetryAfter)
}

func isLetter(r rune) bool { return r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' }

var secondsForm = regexp.MustCompile(`^\+?[0-9]+(\.[0-9]*)?$`)

// waitOf reads one value, which may be longer than maxRetryAfter; 0 for what is not understood.
func waitOf(value string, now time.Time) time.Duration {
	if secondsForm.MatchString(value) {
		seconds, err := strconv.ParseFloat(value, 64)
		if err != nil || seconds > maxRetryAfter.Seconds() {
			return maxRetryAfter
		}
		return time.Duration(math.Ceil(seconds)) * time.Second
	}
	if at, ok := parseDate(value); ok {
		return max(0, at.Sub(now))
	}
	return 0
}

// parseDate reads the three forms of RFC 9110, section 5.6.7, also with UTC for GMT, and the two numeric forms
// that are not HTTP's but cannot be mistaken. Other names of zones mean several things and are not understood.
func parseDate(value string) (time.Time, bool) {
	for _, layout := range []string{"Mon, _2 Jan 2006 15:04:05 -0700", time.RFC3339} {
		if at, err := time.Parse(layout, value); err == nil {
			return at, true
		}
	}
	inUTC, layouts := value, []string{time.ANSIC}
	if zone := strings.LastIndexByte(value, ' '); zone >= 0 {
		if name := value[zone+1:]; strings.EqualFold(name, "GMT") || strings.EqualFold(name, "UTC") {
			inUTC = value[:zone]
			layouts = []string{"Mon, _2 Jan 2006 15:04:05", "Monday, _2-Jan-06 15:04:05", "Mon, _2-Jan-06 15:04:05", "Mon, _2-Jan-2006 15:04:05", time.ANSIC}
		}
	}
	for _, layout := range layouts {
		if at, err := time.Parse(layout, inUTC); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}
