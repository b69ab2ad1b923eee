package attempt

import (
	"net/http"
	"strconv"
)

func describeStatus(code int) string {
	text := "the receiver answered " + strconv.Itoa(code)
	if name := http.StatusText(code); name != "" {
		text += " " + name
	}
	return text + explainStatus(code)
}

// explainStatus says what a code between success and refusal means for a delivery.
func explainStatus(code int) string {
	switch code {
	case http.StatusNotModified:
		return "; it means that a cached copy is still good, and a delivery has none: answer 2xx"
	case http.StatusMultipleChoices, http.StatusUseProxy, 306:
		return "; only 2xx counts as received"
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return "; redirects are not followed"
	}
	if code < 200 || code >= 300 && code < 400 {
		return "; only 2xx counts as received"
	}
	return ""
}
