package console

import (
	"slices"
	"strings"

	"github.com/postrider/postrider/console/view"
	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/models"
)

func (c *console) ownerPages() map[string]page {
	return map[string]page{
		"/owners": c.owners, "/owners/new": c.newOwner, "/owners/{id}": c.owner, "/owners/{id}/edit": c.editOwner,
		"/keys": c.keys, "/audit": c.audit,
	}
}

// shownOfOwner is how many webhooks, and how many keys, the page of an owner has.
const shownOfOwner = 20

// owners is the list, or what a search finds.
func (c *console) owners(r *request) (view.Page, error) {
	query := r.URL.Query()
	shown := view.Owners{Search: strings.TrimSpace(query.Get("search"))}
	var err error
	if shown.Search != "" {
		shown.Owners, err = c.Service.FindOwners(r.Context(), r.who, shown.Search)
	} else {
		var beside models.Cursors
		shown.Owners, beside, err = c.Service.ListOwners(r.Context(), r.who, pageOf(query))
		shown.Pager = pagerOf(r, beside)
	}
	if err != nil {
		return view.Page{}, err
	}
	ids := make([]string, len(shown.Owners))
	for i, owner := range shown.Owners {
		ids[i] = owner.ID
	}
	if shown.Usages, err = c.Service.OwnerUsages(r.Context(), r.who, ids); err != nil {
		return view.Page{}, err
	}
	return view.Page{Title: "Owners", Section: "owners", Live: []string{"audit"}, Body: view.OwnerList(shown)}, nil
}

// owner is one with what it has.
func (c *console) owner(r *request) (view.Page, error) {
	ctx := r.Context()
	owner, err := c.Service.GetOwner(ctx, r.who, r.PathValue("id"))
	if err != nil {
		return view.Page{}, err
	}
	shown := view.Owner{Owner: owner, Limits: c.Service.Limits(), Now: c.Now()}
	usages, err := c.Service.OwnerUsages(ctx, r.who, []string{owner.ID})
	if err != nil {
		return view.Page{}, err
	}
	shown.Usage = usages[owner.ID]
	if bytes, known, err := c.Service.StoredBytes(ctx, r.who, owner.ID); err != nil {
		return view.Page{}, err
	} else if known {
		shown.StoredBytes = &bytes
	}
	of := []string{owner.ID}
	if shown.Day, err = c.tally(r, of, service.IntervalHour); err != nil {
		return view.Page{}, err
	}
	if shown.Month, err = c.tally(r, of, service.IntervalDay); err != nil {
		return view.Page{}, err
	}
	some := models.Page{Limit: shownOfOwner}
	webhooks, moreHooks, err := c.Service.ListWebhooks(ctx, r.who, models.WebhookFilter{OwnerIDs: of}, false, some)
	if err != nil {
		return view.Page{}, err
	}
	keys, moreKeys, err := c.Service.ListKeys(ctx, r.who, owner.ID, some)
	if err != nil {
		return view.Page{}, err
	}
	shown.Webhooks, shown.MoreHooks, shown.Keys, shown.MoreKeys = webhooks, moreHooks.Next != "", keys, moreKeys.Next != ""
	topics := []string{owner.ID}
	for _, webhook := range webhooks {
		topics = append(topics, webhook.ID)
	}
	for _, key := range keys {
		topics = append(topics, key.ID)
	}
	return view.Page{Title: owner.Name, Section: "owners", Back: "/owners", BackTitle: "Owners", Live: topics, Body: view.OwnerPage(shown)}, nil
}

// tally counts what happened to owners in the last day by hours, or in the last thirty by days.
func (c *console) tally(r *request, owners []string, interval string) (sum models.Tally, err error) {
	points, err := c.Service.Statistics(r.Context(), r.who, models.StatisticsFilter{OwnerIDs: owners}, interval)
	for _, point := range points {
		sum.Add(point.Tally)
	}
	return sum, err
}

func (c *console) newOwner(r *request) (view.Page, error) {
	if err := forAdmins(r); err != nil {
		return view.Page{}, err
	}
	return view.Page{Title: "Create an owner", Section: "owners", Back: "/owners", BackTitle: "Owners", Body: view.OwnerForm(nil)}, nil
}

// forAdmins refuses owners what reads nothing that would refuse them.
func forAdmins(r *request) error {
	if !r.who.Admin() {
		return service.ErrAdminsOnly
	}
	return nil
}

func (c *console) editOwner(r *request) (view.Page, error) {
	owner, err := c.Service.GetOwner(r.Context(), r.who, r.PathValue("id"))
	if err != nil {
		return view.Page{}, err
	}
	return view.Page{
		Title: "Edit an owner", Section: "owners", Back: "/owners/" + owner.ID, BackTitle: owner.Name, Body: view.OwnerForm(&owner),
	}, nil
}

// keys are those of an owner that the address names or, without one, the administrators'.
func (c *console) keys(r *request) (view.Page, error) {
	query := r.URL.Query()
	shown := view.Keys{Search: strings.TrimSpace(query.Get("owner_id")), Now: c.Now()}
	var beside models.Cursors
	var err error
	if shown.Search == "" {
		shown.Keys, beside, err = c.Service.ListAdminKeys(r.Context(), r.who, pageOf(query))
	} else if shown.Found, err = c.Service.FindOwners(r.Context(), r.who, shown.Search); err == nil {
		named := func(o models.Owner) bool {
			return o.ID == shown.Search || o.ExternalID != nil && *o.ExternalID == shown.Search
		}
		if i := slices.IndexFunc(shown.Found, named); i >= 0 {
			shown.Owner = &shown.Found[i]
		} else if len(shown.Found) == 1 {
			shown.Owner = &shown.Found[0]
		}
		if shown.Owner != nil {
			shown.Keys, beside, err = c.Service.ListKeys(r.Context(), r.who, shown.Owner.ID, pageOf(query))
		}
	}
	if err != nil {
		return view.Page{}, err
	}
	shown.Pager = pagerOf(r, beside)
	return view.Page{Title: "Keys", Section: "keys", Live: []string{"audit"}, Body: view.KeyPage(shown)}, nil
}

// audit is the trail, filtered as the address says, in the words of the API.
func (c *console) audit(r *request) (view.Page, error) {
	query := r.URL.Query()
	shown := view.Audit{Actor: query.Get("actor"), Action: query.Get("action"), Since: query.Get("since"), Until: query.Get("until")}
	filter := models.AuditFilter{Actors: values(query, "actor"), Actions: values(query, "action")}
	var err error
	if filter.Since, filter.Until, err = span(query); err != nil {
		return view.Page{}, err
	}
	var beside models.Cursors
	if shown.Entries, beside, err = c.Service.ListAudit(r.Context(), r.who, filter, pageOf(query)); err != nil {
		return view.Page{}, err
	}
	shown.Pager = pagerOf(r, beside)
	return view.Page{Title: "Audit", Section: "audit", Live: []string{"audit"}, Body: view.AuditList(shown)}, nil
}
