package attempt

import (
	"net/http"
	"strings"

	"github.com/postrider/postrider/models"
)

// metaPrefix begins the headers with an event's metadata.
const metaPrefix = "X-Webhook-Meta-"

// asHeader is a name of metadata in a header: many servers drop headers with _ or take it for -.
var asHeader = strings.NewReplacer("_", "-", ".", "-")

// setEventHeaders sets what the publisher gave receivers beside the data.
func setEventHeaders(header http.Header, event models.Event) {
	for name, value := range event.Metadata {
		header.Set(metaPrefix+asHeader.Replace(name), value)
	}
	if event.TraceParent != "" {
		header.Set("traceparent", event.TraceParent)
	}
}
