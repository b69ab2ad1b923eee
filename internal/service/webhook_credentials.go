package service

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/postrider/postrider/models"
)

// newCredentials gives a new webhook its credentials.
func (in NewSending) newCredentials(webhook *models.Webhook, by judge, wrong *faults) {
	credentials := models.Credentials{Signatures: wrong.signatures(in.Signatures, nil)}
	if in.Auth != nil {
		credentials.Auth = wrong.auth(*in.Auth, nil, by)
	}
	if in.TLS != nil {
		credentials.TLS = wrong.tls(*in.TLS, nil, time.Now())
	}
	if !credentials.Empty() {
		webhook.SetCredentials(credentials)
	}
	wrong.together(*webhook, credentials)
}

// patchCredentials changes a webhook's credentials, after everything else of it was changed: together they must make a
// request.
func (s *Service) patchCredentials(patch SendingPatch, webhook *models.Webhook, by judge, wrong *faults) error {
	credentials, err := s.store.OpenCredentials(*webhook)
	if err != nil {
		return err
	}
	if patch.Signatures.Set {
		credentials.Signatures = wrong.signatures(patch.Signatures.Value, credentials.Signatures)
	}
	switch {
	case patch.Auth.Null:
		credentials.Auth = nil
	case patch.Auth.Set:
		credentials.Auth = wrong.auth(patch.Auth.Value, credentials.Auth, by)
	}
	switch {
	case patch.TLS.Null:
		credentials.TLS = nil
	case patch.TLS.Set:
		credentials.TLS = wrong.tls(patch.TLS.Value, credentials.TLS, s.now())
	}
	if patch.Signatures.Set || patch.Auth.Set || patch.TLS.Set {
		webhook.SetCredentials(credentials)
	}
	wrong.together(*webhook, credentials)
	return nil
}

// showCredentials adds to webhooks what is shown of their credentials.
func (s *Service) showCredentials(webhooks []Webhook) error {
	for i := range webhooks {
		credentials, err := s.store.OpenCredentials(webhooks[i].Webhook)
		if err != nil {
			return err
		}
		webhooks[i].Credentials = withoutSecrets(credentials)
	}
	return nil
}

// withoutSecrets is what may be shown of credentials.
func withoutSecrets(credentials models.Credentials) models.Credentials {
	for i := range credentials.Signatures {
		credentials.Signatures[i].Secret = ""
	}
	if of := credentials.Auth; of != nil {
		switch {
		case of.Basic != nil:
			of.Basic = &models.BasicAuth{Username: Masked, Password: Masked}
		case of.Bearer != nil:
			of.Bearer = &models.BearerAuth{Token: Masked}
		case of.OAuth2 != nil:
			of.OAuth2.ClientSecret = Masked
		}
	}
	if of := credentials.TLS; of != nil {
		of.Key = ""
	}
	return credentials
}

// together refuses settings that are right each by itself, and contradict each other: one header would replace another.
func (f *faults) together(webhook models.Webhook, credentials models.Credentials) {
	own := map[string]string{}
	for name := range webhook.Headers {
		own[strings.ToLower(name)] = name
	}
	for _, signature := range credentials.Signatures {
		for _, name := range signature.Headers() {
			if header, taken := own[strings.ToLower(name)]; taken {
				f.add("headers."+header, "a signature of the webhook is in this header: leave it out of one of the two")
			}
		}
	}
	if header, taken := own["authorization"]; taken && credentials.Auth != nil {
		f.add("headers."+header, "auth of the webhook sets this header: leave it out of one of the two")
	}
	for i, signature := range credentials.Signatures {
		if slices.ContainsFunc(signature.Headers(), isAuthorization) && credentials.Auth != nil {
			f.add(fmt.Sprintf("signatures[%d].header", i), "auth of the webhook sets this header: leave it out of one of the two")
		}
	}
	if credentials.TLS != nil && !strings.HasPrefix(strings.ToLower(webhook.URL), "https://") {
		f.add("tls", "the webhook's URL begins with http://: without TLS there is nothing to show a certificate to")
	}
	for _, name := range attributesOf(webhook.Format) {
		if header, taken := own[name]; taken {
			f.add("headers."+header, "the webhook's format, "+webhook.Format.Shown()+", sets this header")
		}
	}
}

func isAuthorization(name string) bool { return strings.EqualFold(name, "authorization") }

// attributesOf are the headers that a format sets, in lower case.
func attributesOf(format models.Format) []string {
	if format == models.FormatCloudEvents {
		return []string{"ce-specversion", "ce-id", "ce-type", "ce-source", "ce-time"}
	}
	return nil
}
