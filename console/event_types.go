package console

import (
	"errors"
	"strings"
	"time"

	"github.com/postrider/postrider/console/view"
	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/models"
)

// publishedDays is how many days back a page counts the events of a type.
const publishedDays = 7

func (c *console) eventTypePages() map[string]page {
	return map[string]page{
		"/event-types": c.eventTypes, "/event-types/new": c.newEventType, "/event-types/import": c.importEventTypes,
		"/event-types/{name}": c.eventType,
	}
}

// isMissing says that what a page asks for is not there.
func isMissing(err error) bool {
	var missing *service.NotFoundError
	return errors.As(err, &missing) || errors.Is(err, models.ErrNotFound)
}

// eventTypes is the catalogue.
func (c *console) eventTypes(r *request) (view.Page, error) {
	types, err := c.Service.PublicEventTypes(r.Context())
	if err != nil {
		return view.Page{}, err
	}
	shown := view.EventTypes{Search: strings.TrimSpace(r.URL.Query().Get("search")), Any: len(types) > 0}
	for _, of := range types {
		if !shown.Has(of) {
			continue
		}
		if n := len(shown.Groups); n == 0 || shown.Groups[n-1].Name != of.Group {
			shown.Groups = append(shown.Groups, view.TypeGroup{Name: of.Group})
		}
		group := &shown.Groups[len(shown.Groups)-1]
		group.Types = append(group.Types, of)
	}
	return view.Page{Title: "Event types", Section: "event-types", Body: view.EventTypeList(shown)}, nil
}

// eventType is one entry of the catalogue, with how many events of it were published lately.
func (c *console) eventType(r *request) (view.Page, error) {
	of, err := c.Service.GetEventType(r.Context(), r.PathValue("name"))
	if err != nil {
		return view.Page{}, err
	}
	lately := models.StatisticsFilter{Events: []string{of.Name}, From: c.Now().Add(-(publishedDays - 1) * 24 * time.Hour)}
	days, err := c.Service.Statistics(r.Context(), r.who, lately, service.IntervalDay)
	if err != nil {
		return view.Page{}, err
	}
	return view.Page{
		Title: of.Name, Section: "event-types", Back: "/event-types", BackTitle: "Event types",
		Body: view.EventTypePage(view.EventType{EventType: of, Members: service.SchemaMembers(of.Schema), Days: days}),
	}, nil
}

func (c *console) newEventType(r *request) (view.Page, error) {
	if !r.who.Admin() {
		return view.Page{}, service.ErrAdminsOnly
	}
	return view.Page{
		Title: "New event type", Section: "event-types", Back: "/event-types", BackTitle: "Event types", Body: view.NewEventTypePage(),
	}, nil
}

func (c *console) importEventTypes(r *request) (view.Page, error) {
	if !r.who.Admin() {
		return view.Page{}, service.ErrAdminsOnly
	}
	return view.Page{
		Title: "Import event types", Section: "event-types", Back: "/event-types", BackTitle: "Event types", Body: view.ImportPage(),
	}, nil
}
