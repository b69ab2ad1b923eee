package console

import (
	"slices"

	"github.com/postrider/postrider/console/view"
	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/models"
)

func (c *console) webhookPages() map[string]page {
	return map[string]page{
		"/webhooks": c.webhooks, "/webhooks/new": c.newWebhook, "/webhooks/{id}": c.webhook, "/webhooks/{id}/edit": c.editWebhook,
	}
}

// webhooks is the list, filtered as its address says, in the words of the API.
func (c *console) webhooks(r *request) (view.Page, error) {
	query := r.URL.Query()
	shown := view.Webhooks{Filter: view.WebhookFilter{
		OwnerID: query.Get("owner_id"), ExternalID: query.Get("external_id"), Active: query.Get("active"),
	}}
	filter := models.WebhookFilter{OwnerIDs: values(query, "owner_id"), ExternalIDs: values(query, "external_id")}
	switch shown.Filter.Active {
	case "":
	case "true", "false":
		active := shown.Filter.Active == "true"
		filter.Active = &active
	default:
		return view.Page{}, service.FieldsError{{Location: "active", Message: "expected true or false"}}
	}
	var beside models.Cursors
	var err error
	if shown.Webhooks, beside, err = c.Service.ListWebhooks(r.Context(), r.who, filter, false, pageOf(query)); err != nil {
		return view.Page{}, err
	}
	if shown.Days, err = c.Service.LastDay(r.Context(), shown.Webhooks...); err != nil {
		return view.Page{}, err
	}
	shown.Pager = pagerOf(r, beside)
	live, owners := []string{"audit"}, []string{}
	for _, webhook := range shown.Webhooks {
		live, owners = append(live, webhook.ID), append(owners, webhook.OwnerID)
	}
	if shown.Owners, err = c.Service.OwnerNames(r.Context(), r.who, owners); err != nil {
		return view.Page{}, err
	}
	return view.Page{Title: "Webhooks", Section: "webhooks", Live: live, Body: view.WebhookList(shown)}, nil
}

// newestDeliveries is how many of a webhook's deliveries its page shows.
const newestDeliveries = 10

// webhook is one with its statistics and newest deliveries.
func (c *console) webhook(r *request) (view.Page, error) {
	webhook, err := c.Service.GetWebhook(r.Context(), r.who, r.PathValue("id"), false)
	if err != nil {
		return view.Page{}, err
	}
	shown, of := view.Webhook{Webhook: webhook, Now: c.Now()}, []string{webhook.ID}
	if shown.Day, err = c.Service.Statistics(r.Context(), r.who, models.StatisticsFilter{WebhookIDs: of}, service.IntervalHour); err != nil {
		return view.Page{}, err
	}
	shown.Newest, _, err = c.Service.ListDeliveries(r.Context(), r.who, models.DeliveryFilter{WebhookIDs: of}, models.Page{Limit: newestDeliveries})
	if err != nil {
		return view.Page{}, err
	}
	going := models.RecoveryFilter{WebhookIDs: of, Statuses: []models.RecoveryStatus{models.RecoveryRunning, models.RecoveryPaused}}
	recoveries, _, err := c.Service.ListRecoveries(r.Context(), r.who, going, models.Page{Limit: 1})
	if err != nil {
		return view.Page{}, err
	}
	if len(recoveries) > 0 {
		shown.Recovery = &recoveries[0]
	}
	owners, err := c.Service.OwnerNames(r.Context(), r.who, []string{webhook.OwnerID})
	if err != nil {
		return view.Page{}, err
	}
	shown.Owner = owners[webhook.OwnerID]
	if shown.Types, err = c.typeNames(r); err != nil {
		return view.Page{}, err
	}
	return view.Page{
		Title: webhook.Host, Section: "webhooks", Back: "/webhooks", BackTitle: "Webhooks", Live: []string{webhook.ID},
		Body: view.WebhookPage(shown),
	}, nil
}

// typeNames are the names in the catalogue, as many as one page of it has.
func (c *console) typeNames(r *request) (names []string, err error) {
	types, _, err := c.Service.ListEventTypes(r.Context(), false, models.Page{Limit: models.MaxLimit})
	for _, of := range types {
		names = append(names, of.Name)
	}
	slices.Sort(names)
	return names, err
}

// newWebhook is the form that makes one.
func (c *console) newWebhook(r *request) (view.Page, error) {
	if err := r.who.May(models.RoleFull); err != nil {
		return view.Page{}, err
	}
	types, err := c.typeNames(r)
	if err != nil {
		return view.Page{}, err
	}
	return view.Page{
		Title: "Create a webhook", Section: "webhooks", Back: "/webhooks", BackTitle: "Webhooks",
		Body: view.WebhookEditor(view.WebhookForm{New: true, Types: types, OwnerID: r.URL.Query().Get("owner_id")}),
	}, nil
}

// editWebhook is the form that changes one.
func (c *console) editWebhook(r *request) (view.Page, error) {
	if err := r.who.May(models.RoleFull); err != nil {
		return view.Page{}, err
	}
	webhook, err := c.Service.GetWebhook(r.Context(), r.who, r.PathValue("id"), false)
	if err != nil {
		return view.Page{}, err
	}
	types, err := c.typeNames(r)
	if err != nil {
		return view.Page{}, err
	}
	return view.Page{
		Title: "Edit a webhook", Section: "webhooks", Back: "/webhooks/" + webhook.ID, BackTitle: webhook.Host,
		Body: view.WebhookEditor(view.WebhookForm{Webhook: webhook, Types: types}),
	}, nil
}
