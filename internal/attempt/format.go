package attempt

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/postrider/postrider/models"
)

// cloudEventsVersion is the version of the CloudEvents specification.
const cloudEventsVersion = "1.0"

// describeBody sets the headers that say what the body is.
func describeBody(header http.Header, job models.Job, source string) {
	contentType := "application/json"
	switch job.Webhook.Format {
	case models.FormatRaw:
		header.Set("X-Webhook-Event-Id", job.Event.ID)
		header.Set("X-Webhook-Event-Time", job.Event.CreatedAt.UTC().Format(time.RFC3339Nano))
	case models.FormatCloudEvents:
		header.Set("Ce-Specversion", cloudEventsVersion)
		header.Set("Ce-Id", job.Event.ID)
		header.Set("Ce-Type", job.Event.Type)
		header.Set("Ce-Source", source)
		header.Set("Ce-Time", job.Event.Occurred().UTC().Format(time.RFC3339Nano))
	case models.FormatCloudEventsStructured:
		contentType = "application/cloudevents+json"
	}
	header.Set("Content-Type", contentType)
}

// around is about how many bytes stand around the data.
const around = 192

// envelope is Postrider's own format.
func envelope(delivery models.Delivery, event models.Event) []byte {
	body := make([]byte, 0, around+len(event.Type)+len(event.Data))
	body = append(body, `{"id":"`...)
	body = append(body, delivery.ID...)
	body = append(body, `","event":"`...)
	body = append(body, event.Type...)
	body = append(body, `","event_id":"`...)
	body = append(body, event.ID...)
	body = append(body, `","timestamp":"`...)
	body = event.CreatedAt.UTC().AppendFormat(body, time.RFC3339Nano)
	body = append(body, `","data":`...)
	body = append(body, event.Data...)
	return append(body, '}')
}

// cloudEvent is an event in the JSON format of CloudEvents. An event type needs no escapes, and a URL hardly any.
func cloudEvent(event models.Event, source string) []byte {
	quoted, _ := json.Marshal(source) // a text always can be
	body := make([]byte, 0, around+len(event.Type)+len(quoted)+len(event.Data))
	body = append(body, `{"specversion":"`+cloudEventsVersion+`","id":"`...)
	body = append(body, event.ID...)
	body = append(body, `","source":`...)
	body = append(body, quoted...)
	body = append(body, `,"type":"`...)
	body = append(body, event.Type...)
	body = append(body, `","time":"`...)
	body = event.Occurred().UTC().AppendFormat(body, time.RFC3339Nano)
	body = append(body, `","datacontenttype":"application/json","data":`...)
	body = append(body, event.Data...)
	return append(body, '}')
}
