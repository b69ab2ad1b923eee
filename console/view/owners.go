package view

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/models"
)

// Owners is a page of the list.
type Owners struct {
	Search string
	Owners []models.Owner
	Usages map[string]models.OwnerUsage
	Pager  Pager
}

// Owner is all that is shown of one.
type Owner struct {
	models.Owner
	Usage  models.OwnerUsage
	Limits service.Quotas
	// StoredBytes is nil where nobody adds it up.
	StoredBytes *int64
	// Day and Month are what happened in the last day, and in the last thirty.
	Day, Month models.Tally
	Webhooks   []service.Webhook
	MoreHooks  bool
	Keys       []models.APIKey
	MoreKeys   bool
	Now        time.Time
}

// ownerState is an owner's health in a word.
func ownerState(o models.Owner, usage models.OwnerUsage) string {
	switch {
	case !o.Active:
		return "suspended"
	case usage.Disabled > 0:
		return "disabled"
	case usage.Failing > 0:
		return "failing"
	case usage.Webhooks == 0:
		return "no webhooks"
	}
	return "healthy"
}

// ownerExplained says how an owner is, and what to do.
func ownerExplained(ctx context.Context, o models.Owner, usage models.OwnerUsage) Explanation {
	switch {
	case !o.Active:
		return Explanation{What: say(ctx, "The owner is suspended: its webhooks and sources get nothing, and its keys are refused."), Do: say(ctx, "Resume it to let it go on.")}
	case usage.Disabled > 0:
		return Explanation{What: say(ctx, "%s of %s webhooks are disabled: they get nothing.", Count(usage.Disabled), Count(usage.Webhooks)), Do: say(ctx, "Mend the receivers, switch the webhooks on again and recover what they missed.")}
	case usage.Failing > 0:
		return Explanation{What: say(ctx, "%s of %s webhooks are failing.", Count(usage.Failing), Count(usage.Webhooks)), Do: say(ctx, "Look at their last attempts below.")}
	case usage.Webhooks == 0:
		return Explanation{What: say(ctx, "The owner has no webhook yet: nothing that is published for it is delivered."), Do: say(ctx, "Create a webhook, or give the owner a key to do so.")}
	}
	return Explanation{What: say(ctx, "All its webhooks are healthy.")}
}

// ownerForm is what the form of an owner begins with.
type ownerForm struct {
	Name, ExternalID, Email, SlackURL, Metadata string
	// Names are those of the metadata, a line each.
	Names string
}

func formOfOwner(o *models.Owner) (f ownerForm) {
	if o == nil {
		return f
	}
	f = ownerForm{Name: o.Name, Email: o.Email, SlackURL: o.SlackURL, Metadata: pairLines(o.Metadata), Names: strings.Join(sorted(o.Metadata), "\n")}
	if o.ExternalID != nil {
		f.ExternalID = *o.ExternalID
	}
	return f
}

// pairLines are texts by their names, a line each.
func pairLines(pairs map[string]string) string {
	var text strings.Builder
	for _, name := range sorted(pairs) {
		text.WriteString(name + ": " + pairs[name] + "\n")
	}
	return text.String()
}

// ofLimit is how much there is of something that may be limited.
func ofLimit(ctx context.Context, n int64, limit int) string {
	if limit <= 0 {
		return Count(n)
	}
	return say(ctx, "%s of at most %s", Count(n), Count(int64(limit)))
}

// Keys is what the page of keys shows: those of one owner, or the administrators'.
type Keys struct {
	// Owner is whose keys these are; nil for the administrators'.
	Owner *models.Owner
	// Search is what was typed to find an owner, and Found the owners that it fits.
	Search string
	Found  []models.Owner
	Keys   []models.APIKey
	Pager  Pager
	Now    time.Time
}

// keyState is active, expired or suspended.
func keyState(key models.APIKey, now time.Time) string {
	switch {
	case key.Expired(now):
		return "expired"
	case key.Suspended:
		return "suspended"
	}
	return "active"
}

// Roles of keys, with what they are for.
func roleChoices() []Choice {
	return []Choice{
		{string(models.RoleFull), "full: everything"}, {string(models.RolePublish), "publish: publish events only"},
		{string(models.RoleRead), "read: look at everything, change nothing"},
	}
}

// keyEnds are for how long a new key may live.
func keyEnds() []Choice {
	return []Choice{{"", "never"}, {"24h", "in a day"}, {"7d", "in 7 days"}, {"30d", "in 30 days"}, {"90d", "in 90 days"}, {"365d", "in a year"}}
}

// Audit is a page of the trail.
type Audit struct {
	Actor, Action, Since, Until string
	Entries                     []models.AuditEntry
	Pager                       Pager
}

func (a Audit) narrows() bool { return a.Actor+a.Action+a.Since+a.Until != "" }

// objectPages are where the pages of things are, by the prefix of their IDs.
var objectPages = map[string]string{
	"own": "/owners/", "wh": "/webhooks/", "evt": "/events/", "dlv": "/deliveries/", "src": "/sources/", "inb": "/inbound-events/", "rec": "/recoveries/",
}

// objectPath is the page of a thing; empty when it has none, or none for who looks.
func objectPath(ctx context.Context, action, id string) string {
	if strings.HasSuffix(action, "-event-type") {
		return "/event-types/" + url.PathEscape(id)
	}
	prefix, _, _ := strings.Cut(id, "_")
	path, ok := objectPages[prefix]
	if !ok || prefix == "own" && !frameOf(ctx).Admin {
		return ""
	}
	return path + id
}

// nulled is the name of a field that is null when it is empty, where something is changed; else it is left out.
func nulled(name string, changes bool) string {
	if changes {
		return name + ":null"
	}
	return name
}
