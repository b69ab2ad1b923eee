package view

import (
	"maps"
	"slices"
	"strings"

	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/models"
)

// WebhookForm makes a webhook, or changes one.
type WebhookForm struct {
	// New says that it is to be made; Webhook has nothing then.
	New     bool
	Webhook service.Webhook
	// Types are the event types of the catalogue.
	Types []string
	// OwnerID is whose webhook an administrator makes; empty for the default owner's.
	OwnerID string
}

// mostSignatures is how many further signatures a webhook may have.
const mostSignatures = 3

// orNull is the name of a field that a change makes null when it is emptied.
func (f WebhookForm) orNull(name string) string {
	if f.New {
		return name
	}
	return name + ":null"
}

// pairs is the name of a field of pairs: a change merges them.
func (f WebhookForm) pairs(name string) string {
	if f.New {
		return name + ":pairs"
	}
	return name + ":merge"
}

func (f WebhookForm) call() string {
	if f.New {
		return "POST /api/webhooks"
	}
	return "PATCH /api/webhooks/" + f.Webhook.ID
}

// suggestions are patterns that match something of the catalogue, and the types themselves.
func (f WebhookForm) suggestions() []string {
	all := []string{"*"}
	for _, name := range f.Types {
		for at := range name {
			if name[at] == '.' {
				all = append(all, name[:at]+".*")
			}
		}
		all = append(all, name)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// timeout and rateLimit are as they are typed.
func (f WebhookForm) timeout() string {
	if limit := f.Webhook.Timeout(); limit != 0 {
		return models.FormatDuration(limit)
	}
	return ""
}

func (f WebhookForm) rateLimit() string {
	if f.Webhook.RateLimit == nil {
		return ""
	}
	return number(*f.Webhook.RateLimit)
}

func (f WebhookForm) externalID() string {
	if f.Webhook.ExternalID == nil {
		return ""
	}
	return *f.Webhook.ExternalID
}

// retries says which of the choices of a retry schedule is the present one.
func (f WebhookForm) retries() string {
	switch {
	case f.Webhook.RetrySchedule == nil:
		return "null"
	case len(f.Webhook.RetrySchedule) == 0:
		return "[]"
	}
	return ""
}

// authKind is how requests sign in.
func (f WebhookForm) authKind() string {
	switch of := f.Webhook.Credentials.Auth; {
	case of == nil:
		return "null"
	case of.Basic != nil:
		return "basic"
	case of.Bearer != nil:
		return "bearer"
	}
	return "oauth2"
}

func (f WebhookForm) oauth2() models.OAuth2 {
	if of := f.Webhook.Credentials.Auth; of != nil && of.OAuth2 != nil {
		return *of.OAuth2
	}
	return models.OAuth2{}
}

func (f WebhookForm) tls() models.TLS {
	if of := f.Webhook.Credentials.TLS; of != nil {
		return *of
	}
	return models.TLS{}
}

// signature is the one at a place; an empty one where there is none.
func (f WebhookForm) signature(i int) models.FurtherSignature {
	if i < len(f.Webhook.Credentials.Signatures) {
		return f.Webhook.Credentials.Signatures[i]
	}
	return models.FurtherSignature{}
}

// inLines are texts as a field of lines has them.
func inLines(texts []string) string { return strings.Join(texts, "\n") }

// inPairs are texts with names as a field of pairs has them.
func inPairs(of map[string]string) string {
	var lines []string
	for _, name := range sorted(of) {
		lines = append(lines, name+": "+of[name])
	}
	return inLines(lines)
}

func namesOf(of map[string]string) string { return inLines(slices.Sorted(maps.Keys(of))) }

// usual is empty for the value that an empty one stands for.
func usual(value, of string) string {
	if value == of {
		return ""
	}
	return value
}
