package console

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/postrider/postrider/console/view"
	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/models"
)

func (c *console) deliveryPages() map[string]page {
	return map[string]page{"/deliveries": c.deliveries, "/deliveries/{id}": c.delivery}
}

// deliveries is the list, filtered as its address says, in the words of the API.
func (c *console) deliveries(r *request) (view.Page, error) {
	query := r.URL.Query()
	shown := view.Deliveries{Filter: view.DeliveryFilter{
		Search: query.Get("search"), Event: query.Get("event"), WebhookID: query.Get("webhook_id"), OwnerID: query.Get("owner_id"),
		EventID: query.Get("event_id"), Since: query.Get("since"), Until: query.Get("until"), Statuses: query["status"],
	}}
	filter := models.DeliveryFilter{
		Search: models.Search{Text: strings.TrimSpace(query.Get("search"))}, WebhookIDs: values(query, "webhook_id"), EventIDs: values(query, "event_id"), Events: values(query, "event"), OwnerIDs: values(query, "owner_id"),
	}
	for _, status := range values(query, "status") {
		filter.Statuses = append(filter.Statuses, models.Status(status))
	}
	page := view.Page{Title: "Deliveries", Section: "deliveries", Live: []string{"deliveries"}}
	var err error
	var beside models.Cursors
	if filter.Since, filter.Until, err = span(query); err == nil {
		shown.Deliveries, beside, err = c.Service.ListDeliveries(r.Context(), r.who, filter, pageOf(query))
	}
	var wrong service.FieldsError
	if errors.As(err, &wrong) { // what was typed stays where it was
		shown.Fault, page.Status, err = wrong.Error(), http.StatusUnprocessableEntity, nil
	}
	shown.Pager = pagerOf(r, beside)
	page.Body = view.DeliveryList(shown)
	return page, err
}

// delivery is one with its attempts.
func (c *console) delivery(r *request) (view.Page, error) {
	id := r.PathValue("id")
	delivery, attempts, err := c.Service.GetDelivery(r.Context(), r.who, id)
	if err != nil {
		return view.Page{}, err
	}
	shown := view.Delivery{
		Delivery: delivery, Attempts: attempts, TimeLine: view.NewTimeLine(delivery, attempts),
		WorkflowURL: c.WorkflowURL(delivery.ID, delivery.RunID),
	}
	return view.Page{
		Title: delivery.Event, Section: "deliveries", Back: "/deliveries", BackTitle: "Deliveries", Live: []string{delivery.ID},
		Body: view.DeliveryPage(shown),
	}, nil
}

// values are those of a filter: of all fields of the name, and with commas between.
func values(query url.Values, name string) (all []string) {
	for _, text := range query[name] {
		for value := range strings.SplitSeq(text, ",") {
			if value = strings.TrimSpace(value); value != "" && !slices.Contains(all, value) {
				all = append(all, value)
			}
		}
	}
	return all
}

// span reads since and until.
func span(query url.Values) (since, until time.Time, err error) {
	var wrong service.FieldsError
	read := func(name string) (at time.Time) {
		text := strings.TrimSpace(query.Get(name))
		if text == "" {
			return at
		}
		if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
			return at
		}
		wrong = append(wrong, service.Field{Location: name, Message: "expected a time such as 2026-11-28T14:00:00Z"})
		return at
	}
	since, until = read("since"), read("until")
	if wrong != nil {
		return since, until, wrong
	}
	return since, until, nil
}

// pageOf is the page of a list that an address asks for.
func pageOf(query url.Values) models.Page { return models.Page{Cursor: query.Get("cursor")} }

// pagerOf leads to the pages beside, with the same filter.
func pagerOf(r *request, beside models.Cursors) view.Pager {
	address := func(cursor string) string {
		if cursor == "" {
			return ""
		}
		query := r.URL.Query()
		query.Set("cursor", cursor)
		return baseOf(r.Request) + strings.TrimPrefix(r.URL.Path, Base) + "?" + query.Encode()
	}
	return view.Pager{Newer: address(beside.Prev), Older: address(beside.Next)}
}
