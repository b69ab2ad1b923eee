package console

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/postrider/postrider/console/view"
	"github.com/postrider/postrider/models"
)

func (c *console) eventPages() map[string]page {
	return map[string]page{
		"/events": c.events, "/events/new": c.newEvent, "/events/batch": c.newBatch, "/events/{id}": c.event,
	}
}

// events is the list, filtered as its address says, in the words of the API.
func (c *console) events(r *request) (view.Page, error) {
	query := r.URL.Query()
	shown := view.Events{Filter: view.EventFilter{
		Event: query.Get("event"), OwnerID: query.Get("owner_id"), Since: query.Get("since"), Until: query.Get("until"),
	}}
	filter := models.EventFilter{Types: values(query, "event"), OwnerIDs: values(query, "owner_id")}
	var err error
	if filter.Since, filter.Until, err = span(query); err != nil {
		return view.Page{}, err
	}
	var beside models.Cursors
	if shown.Events, beside, err = c.Service.ListEvents(r.Context(), r.who, filter, pageOf(query)); err != nil {
		return view.Page{}, err
	}
	if shown.Types, err = c.Service.PublicEventTypes(r.Context()); err != nil {
		return view.Page{}, err
	}
	shown.Pager = pagerOf(r, beside)
	return view.Page{Title: "Events", Section: "events", Live: []string{"events"}, Body: view.EventList(shown)}, nil
}

// event is one with its newest deliveries.
func (c *console) event(r *request) (view.Page, error) {
	event, deliveries, err := c.Service.GetEvent(r.Context(), r.who, r.PathValue("id"))
	if err != nil {
		return view.Page{}, err
	}
	return view.Page{
		Title: event.Type, Section: "events", Back: "/events", BackTitle: "Events", Live: []string{event.ID},
		Body: view.EventPage(view.Event{Event: event, Deliveries: deliveries}),
	}, nil
}

// eventData is an event's data as it was published.
func (c *console) eventData(w http.ResponseWriter, r *request) {
	event, err := c.Service.EventAlone(r.Context(), r.who, r.PathValue("id"))
	if err != nil {
		c.fail(w, r, err)
		return
	}
	sendFile(w, event.ID+".json", event.Data)
}

// sendFile sends what somebody else has written: never as a page, whatever it is.
func sendFile(w http.ResponseWriter, name string, content []byte) {
	header := w.Header()
	header.Set("Content-Type", "text/plain; charset=utf-8")
	header.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	header.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	_, _ = w.Write(content) // it fails only when the connection is gone
}

// newEvent is the form for publishing: empty, with the example of an event type, or like an event that there is.
func (c *console) newEvent(r *request) (view.Page, error) {
	query := r.URL.Query()
	shown := view.NewEvent{Type: strings.TrimSpace(query.Get("event"))}
	if like := query.Get("like"); like != "" {
		event, err := c.Service.EventAlone(r.Context(), r.who, like)
		if err != nil {
			return view.Page{}, err
		}
		shown.Type, shown.Data, shown.OwnerID, shown.Broadcast = event.Type, event.Data, event.OwnerID, event.OwnerID == ""
		shown.WebhookIDs = strings.Join(event.WebhookIDs, "\n")
		for _, name := range slices.Sorted(maps.Keys(event.Metadata)) {
			shown.Metadata += name + ": " + event.Metadata[name] + "\n"
		}
	} else if shown.Type != "" {
		of, err := c.Service.GetEventType(r.Context(), shown.Type)
		if err == nil {
			shown.Data = of.Example
		} else if !isMissing(err) {
			return view.Page{}, err
		}
	}
	var err error
	if shown.Types, err = c.Service.PublicEventTypes(r.Context()); err != nil {
		return view.Page{}, err
	}
	if r.who.Admin() {
		if shown.Owners, _, err = c.Service.ListOwners(r.Context(), r.who, models.Page{Limit: models.MaxLimit}); err != nil {
			return view.Page{}, err
		}
	}
	return view.Page{Title: "Publish an event", Section: "events", Back: "/events", BackTitle: "Events", Body: view.NewEventPage(shown)}, nil
}

// newBatch is the form for publishing many events of a file.
func (c *console) newBatch(*request) (view.Page, error) {
	return view.Page{Title: "Publish a batch", Section: "events", Back: "/events", BackTitle: "Events", Body: view.NewBatchPage()}, nil
}
