package view

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"slices"
	"strings"

	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/models"
)

// Inbound is the sources and a page of what they received.
type Inbound struct {
	Sources     []models.Source
	MoreSources bool
	Filter      InboundFilter
	Events      []models.InboundEvent
	Pager       Pager
}

// names are those of the sources, by their IDs.
func (i Inbound) names() map[string]string {
	names := make(map[string]string, len(i.Sources))
	for _, source := range i.Sources {
		names[source.ID] = source.Name
	}
	return names
}

// nameOr is the name of a thing, or its ID where there is none.
func nameOr(names map[string]string, id string) string { return cmp.Or(names[id], id) }

// InboundFilter is the filter of what was received as the address has it.
type InboundFilter struct {
	SourceID, Type, Since, Until string
	Statuses                     []string
}

func (f InboundFilter) narrows() bool {
	return f.SourceID+f.Type+f.Since+f.Until != "" || len(f.Statuses) > 0
}

func inboundStatuses() []models.InboundStatus {
	return []models.InboundStatus{models.InboundPending, models.InboundProcessed, models.InboundFailed}
}

// Source is all that is shown of one.
type Source struct {
	models.Source
	// URL is where its provider sends to.
	URL        string
	Rejections []models.Rejection
	Events     []models.InboundEvent
}

// InboundEvent is all that is shown of one.
type InboundEvent struct {
	models.InboundEvent
	SourceName  string
	Deliveries  []models.Delivery
	WorkflowURL string
}

// sourceState is how a source is in a word.
func sourceState(s models.Source) string {
	switch {
	case s.Suspended:
		return "suspended"
	case !s.Active:
		return "paused"
	case s.Failed > 0:
		return "failing"
	}
	return "active"
}

// sourceExplained says how a source is, and what to do.
func sourceExplained(ctx context.Context, s Source) Explanation {
	switch {
	case s.Suspended:
		return Explanation{What: say(ctx, "Its owner is suspended: it takes nothing.")}
	case !s.Active:
		return Explanation{What: say(ctx, "It is paused: requests get 404, and the provider tries again later."), Do: say(ctx, "Resume it to receive again.")}
	case s.Failed > 0:
		return Explanation{What: say(ctx, "%s events that were received could not be processed.", Count(s.Failed)), Do: say(ctx, "Open one that failed to see why, and have it processed again.")}
	case len(s.Events) == 0 && len(s.Rejections) > 0:
		return Explanation{What: say(ctx, "Requests come, and all were refused."), Do: say(ctx, "The reasons are below.")}
	case len(s.Events) == 0:
		return Explanation{What: say(ctx, "Nothing has come yet."), Do: say(ctx, "Set the provider up as described below, and have it send a test.")}
	}
	return Explanation{What: say(ctx, "It receives.")}
}

// guide says what a provider is called and how it is set up to send to a source.
type guide struct {
	title, secret string
	steps         []string
	// madeUp says that whoever sets it up makes up the secret.
	madeUp bool
}

var guides = map[string]guide{
	"github": {"GitHub", "The text that you enter at GitHub as Secret: make up a long one.", []string{
		"In the repository or the organization, open Settings → Webhooks → Add webhook.",
		"Enter the URL as Payload URL, choose the content type application/json, and enter the secret.",
		"Choose the events. GitHub sends a ping at once, which is answered and not stored.",
	}, true},
	"stripe": {"Stripe", "The endpoint's signing secret, which begins with whsec_.", []string{
		"In Stripe's dashboard, open Workbench → Webhooks → Add destination, and choose the events.",
		"Choose Webhook endpoint, and enter the URL.",
		"Copy the signing secret of the endpoint to this source.",
	}, false},
	"shopify": {"Shopify", "The secret that Settings → Notifications → Webhooks shows, or the app's client secret.", []string{
		"In Shopify's admin, open Settings → Notifications → Webhooks → Create webhook.",
		"Choose the event and the format JSON, and enter the URL.",
		"Copy the secret that is shown below the list of webhooks to this source.",
	}, false},
	"slack": {"Slack", "The app's signing secret, which its page Basic Information shows.", []string{
		"On api.slack.com/apps, open the app and copy its signing secret from Basic Information to this source.",
		"Open Event Subscriptions, switch events on, and enter the URL as Request URL. Slack checks it at once.",
		"Choose the events, and save.",
	}, false},
	"standard-webhooks": {"Standard Webhooks (Svix and others)", "The endpoint's secret, which begins with whsec_, or the sender's public key, which begins with whpk_.", []string{
		"At the sender, add an endpoint with the URL.",
		"Copy the endpoint's secret, or the sender's public key, to this source.",
	}, false},
	"postrider": {"Another Postrider", "The secret of the other's webhook, which begins with whsec_.", []string{
		"At the other Postrider, create a webhook with the URL.",
		"Copy its secret, which is shown once, to this source.",
	}, false},
	"hmac": {"Any other sender (HMAC)", "The secret that the sender signs with.", []string{
		"At the sender, add a webhook with the URL.",
		"The sender has to sign the body alone with an HMAC, in one header: the settings below say which and how.",
	}, true},
}

func guideOf(scheme string) guide {
	if of, ok := guides[scheme]; ok {
		return of
	}
	return guide{title: scheme}
}

// madeUpSecret is a new secret of the form that a scheme takes, which nobody can guess.
func madeUpSecret(scheme string) string {
	switch scheme {
	case "stripe":
		return "whsec_" + rand.Text()
	case "postrider", "standard-webhooks":
		return "whsec_" + base64.StdEncoding.EncodeToString([]byte(rand.Text() + rand.Text())[:48])
	}
	return rand.Text()
}

// rejectionExplained says why a request was refused, and what to do.
func rejectionExplained(ctx context.Context, reason string) Explanation {
	switch service.CauseOf(reason) {
	case service.CauseNoSignature:
		return Explanation{What: say(ctx, "The request has no signature that this provider's requests have."), Do: say(ctx, "Enter a secret at the provider, and check that the source is of the right provider. Strangers who try the URL look like this, too.")}
	case service.CauseMismatch:
		return Explanation{What: say(ctx, "The signature does not match: another secret has signed, or the body was changed on its way."), Do: say(ctx, "Copy the secret from the provider anew. If it is the same, look for a proxy that changes bodies.")}
	case service.CauseTimestamp:
		return Explanation{What: say(ctx, "The signature is right, but was made too long ago, or in the future."), Do: say(ctx, "Check the clocks of both sides. Where the provider's retries keep their first time, raise the source's tolerance.")}
	case service.CauseMalformedHeader:
		return Explanation{What: say(ctx, "A header of the signature is missing, comes twice, or cannot be read."), Do: say(ctx, "Check that the source is of the right provider, and that no proxy takes headers away or adds some.")}
	case service.CauseMalformed:
		return Explanation{What: say(ctx, "The signature is right, but the request does not name an event as this provider's do."), Do: say(ctx, "Check the source's settings of the event's ID and type, and the content type that the provider is set to.")}
	case service.CauseVerifyToken:
		return Explanation{What: say(ctx, "The provider asked whether this is the right endpoint, with another verify token."), Do: say(ctx, "Enter the same verify token at the provider and here.")}
	case service.CauseUnusable:
		return Explanation{What: say(ctx, "The source cannot verify anything as it is set up."), Do: say(ctx, "Edit it, and enter its secret again.")}
	case service.CauseType:
		return Explanation{What: say(ctx, "The event's type cannot be published."), Do: say(ctx, "Change the source's event prefix.")}
	}
	return Explanation{What: say(ctx, "The request could not be taken.")}
}

// SourceForm is what the form of a source is for.
type SourceForm struct {
	// Scheme is empty until it is chosen.
	Scheme    string
	Providers []service.Provider
	// Source is nil for a new one.
	Source *models.Source
	// OwnerID is whose the new one will be, if the address says so.
	OwnerID string
}

// uses says whether the form's scheme has a setting.
func (f SourceForm) uses(setting string) bool {
	return slices.ContainsFunc(f.Providers, func(p service.Provider) bool {
		return p.Scheme == f.Scheme && slices.Contains(p.Settings, setting)
	})
}

// now is the source as it is, or one without anything.
func (f SourceForm) now() models.Source {
	if f.Source == nil {
		return models.Source{Scheme: f.Scheme}
	}
	return *f.Source
}

// textField is a field of a form with one line of text.
type textField struct{ name, title, value, hint, placeholder string }

// settings are the fields that the form's scheme has.
func (f SourceForm) settings() (fields []textField) {
	o := f.now().Options
	tolerance := ""
	if o.ToleranceSeconds > 0 {
		tolerance = models.FormatDuration(service.ToleranceOf(f.now()))
	}
	for _, field := range []textField{
		{"header", "Header of the signature", o.Header, "", "X-Signature"},
		{"prefix", "Text before the signature", o.Prefix, "", "sha256="},
		{"id_field", "Field of the event's ID", o.IDField, "A path in the body. It is signed, other than a header.", "event.id"},
		{"id_header", "Header of the event's ID", o.IDHeader, "Counts only where the body has none.", "X-Request-ID"},
		{"type_field", "Field of the event's type", o.TypeField, "A path in the body.", "event.type"},
		{"type_header", "Header of the event's type", o.TypeHeader, "Counts only where the body has none.", "X-Event-Type"},
		{"tolerance", "Tolerance", tolerance, "How far a signed time may be off; 5m when empty.", "5m"},
	} {
		if f.uses(field.name) {
			fields = append(fields, field)
		}
	}
	return fields
}

// Try is a request that was pasted, and what the source would do with it.
type Try struct {
	Source     models.Source
	Head, Body string
	// Fault says why what was pasted cannot be read.
	Fault string
	// Tried is nil before anything was pasted.
	Tried *service.TriedRequest
}

// pastedExplained says what was changed for a signature to match.
func pastedExplained(ctx context.Context, how service.Pasted) string {
	switch how {
	case service.PastedLineEnds:
		return say(ctx, "Not as it stands here: with other line breaks. Pasting changes them.")
	case service.PastedEnd:
		return say(ctx, "Not as it stands here: without the line break at the end.")
	case service.PastedFormatted:
		return say(ctx, "Not as it stands here: as JSON without blanks and line breaks. It was indented after it was signed; if that happened on its way, nothing will be accepted.")
	case service.PastedAsItIs:
	}
	return ""
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// Known says whether the form's scheme is one of the providers'.
func (f SourceForm) Known() bool {
	return slices.ContainsFunc(f.Providers, func(p service.Provider) bool { return p.Scheme == f.Scheme })
}
