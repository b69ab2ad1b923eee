package console

import (
	"github.com/postrider/postrider/console/view"
	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/models"
)

func (c *console) webhookPages() map[string]page {
	return map[string]page{"/webhooks": c.webhooks}
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
	live := []string{"audit"}
	for _, webhook := range shown.Webhooks {
		live = append(live, webhook.ID)
	}
	return view.Page{Title: "Webhooks", Section: "webhooks", Live: live, Body: view.WebhookList(shown)}, nil
}
