package api

import (
	"regexp"
	"strings"
)

// traceParent is the header's form in version 00 of W3C Trace Context, which later versions begin with too.
var traceParent = regexp.MustCompile(`^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$`)

// validTrace is a traceparent, or empty for one that is not valid: the standard asks to go on as if there was none.
func validTrace(header string) string {
	if !traceParent.MatchString(header) || strings.HasPrefix(header, "ff") ||
		strings.Contains(header, "-"+strings.Repeat("0", 32)+"-") || strings.Contains(header, "-"+strings.Repeat("0", 16)+"-") {
		return ""
	}
	return header
}
