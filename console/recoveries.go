package console

import (
	"github.com/postrider/postrider/console/view"
	"github.com/postrider/postrider/models"
)

func (c *console) recoveryPages() map[string]page {
	return map[string]page{"/recoveries": c.recoveries, "/recoveries/{id}": c.recovery}
}

// recoveries is the list, filtered as its address says, in the words of the API.
func (c *console) recoveries(r *request) (view.Page, error) {
	query := r.URL.Query()
	shown := view.Recoveries{Filter: view.RecoveryFilter{WebhookID: query.Get("webhook_id"), Statuses: values(query, "status")}}
	filter := models.RecoveryFilter{WebhookIDs: values(query, "webhook_id")}
	for _, status := range shown.Filter.Statuses {
		filter.Statuses = append(filter.Statuses, models.RecoveryStatus(status))
	}
	var beside models.Cursors
	var err error
	if shown.Recoveries, beside, err = c.Service.ListRecoveries(r.Context(), r.who, filter, pageOf(query)); err != nil {
		return view.Page{}, err
	}
	shown.Pager = pagerOf(r, beside)
	return view.Page{Title: "Recoveries", Section: "recoveries", Live: []string{"recoveries", "audit"}, Body: view.RecoveryList(shown)}, nil
}

// recovery is one with its progress.
func (c *console) recovery(r *request) (view.Page, error) {
	recovery, err := c.Service.GetRecovery(r.Context(), r.who, r.PathValue("id"))
	if err != nil {
		return view.Page{}, err
	}
	return view.Page{
		Title: "Recovery", Section: "recoveries", Back: "/recoveries", BackTitle: "Recoveries", Live: []string{recovery.ID},
		Body: view.RecoveryPage(recovery),
	}, nil
}
