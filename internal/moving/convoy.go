package moving

import (
	"cmp"
	"encoding/json"
	"strconv"
	"strings"
)

// convoySubscription is a subscription as Convoy lists it. The secrets are with its endpoint, in a list of its own.
type convoySubscription struct {
	UID        string `json:"uid"`
	Name       string `json:"name"`
	Type       string `json:"type"`
	EndpointID string `json:"endpoint_id"`
	Endpoint   struct {
		UID string `json:"uid"`
	} `json:"endpoint_metadata"`
	FilterConfig struct {
		EventTypes []string        `json:"event_types"`
		Filter     json.RawMessage `json:"filter"`
	} `json:"filter_config"`
	Function string `json:"function"`
}

// convoyEndpoint is an endpoint as Convoy lists it.
type convoyEndpoint struct {
	UID                string         `json:"uid"`
	Name               string         `json:"name"`
	Title              string         `json:"title"` // in older versions
	OwnerID            string         `json:"owner_id"`
	URL                string         `json:"url"`
	TargetURL          string         `json:"target_url"` // in older versions
	Description        string         `json:"description"`
	Status             string         `json:"status"`
	SupportEmail       string         `json:"support_email"`
	SlackURL           string         `json:"slack_webhook_url"`
	Secrets            []convoySecret `json:"secrets"`
	AdvancedSignatures bool           `json:"advanced_signatures"`
	HTTPTimeout        seconds        `json:"http_timeout"`
	RateLimit          float64        `json:"rate_limit"`
	RateLimitDuration  seconds        `json:"rate_limit_duration"`
	ContentType        string         `json:"content_type"`
	Authentication     convoyAuth     `json:"authentication"`
	ClientCertificate  struct {
		Certificate string `json:"client_cert"`
		Key         string `json:"client_key"`
	} `json:"mtls_client_cert"`

	fault error // why the endpoint could not be read
}

type convoySecret struct {
	Value     string `json:"value"`
	ExpiresAt string `json:"expires_at"`
}

// convoyProject is a project as Convoy answers it: how it signs.
type convoyProject struct {
	Config struct {
		Signature struct {
			Header   string `json:"header"`
			Versions []struct {
				Hash     string `json:"hash"`
				Encoding string `json:"encoding"`
			} `json:"versions"`
		} `json:"signature"`
	} `json:"config"`
}

// readConvoy reads one object for each project: {"project", "endpoints", "subscriptions"}, each as Convoy answers it. Each
// subscription is a webhook.
func readConvoy(f *file, choices Choices) ([]Endpoint, error) {
	projects, err := f.values()
	if err != nil {
		return nil, err
	}
	var all []Endpoint
	for _, top := range projects {
		for _, element := range top.elements() {
			all = append(all, convoyProjectOf(element, choices)...)
		}
	}
	return all, nil
}

func convoyProjectOf(element value, choices Choices) []Endpoint {
	wrong := func(of value, text string) []Endpoint { return []Endpoint{{Line: of.line(), Fault: text}} }
	var project convoyProject
	if answer, ok := element.member("project"); ok {
		for _, of := range answer.list("data") {
			if err := of.into(&project); err != nil {
				return wrong(of, "project: "+err.Error())
			}
		}
	}
	endpoints, ok := element.member("endpoints")
	if !ok {
		return wrong(element, "endpoints: missing; expected an object with project, endpoints and subscriptions")
	}
	subscriptions, ok := element.member("subscriptions")
	if !ok {
		return wrong(element, "subscriptions: missing; they say which events an endpoint gets")
	}
	byID := convoyEndpoints(endpoints)
	var all []Endpoint
	for _, subscription := range subscriptions.list("data", "content") {
		e := Endpoint{Line: subscription.line()}
		var in convoySubscription
		if err := subscription.into(&in); err != nil {
			e.fault("%s", err)
		} else if endpoint, ok := byID[cmp.Or(in.Endpoint.UID, in.EndpointID)]; !ok {
			e.ID = in.UID
			e.fault("endpoint_metadata.uid: is not among the endpoints of the file; export all their pages")
		} else {
			convoy(&e, in, endpoint, project, choices)
		}
		all = append(all, e)
	}
	return all
}

func convoyEndpoints(of value) map[string]convoyEndpoint {
	byID := make(map[string]convoyEndpoint)
	for _, element := range of.list("data", "content") {
		var in convoyEndpoint
		in.fault = element.into(&in)
		byID[in.UID] = in
	}
	return byID
}

func convoy(e *Endpoint, in convoySubscription, endpoint convoyEndpoint, project convoyProject, choices Choices) {
	if endpoint.fault != nil {
		e.fault("endpoint %s: %s", endpoint.UID, endpoint.fault)
	}
	// An endpoint without owner is published to by its own ID.
	owner := first(endpoint.OwnerID, endpoint.UID)
	e.Owner = Owner{owner, ownerFields(first(endpoint.OwnerID, endpoint.Name, endpoint.Title, endpoint.UID), nil)}
	if endpoint.SupportEmail != "" {
		e.Owner.Fields["email"] = endpoint.SupportEmail
	}
	if endpoint.SlackURL != "" {
		e.Owner.Fields["slack_url"] = endpoint.SlackURL
	}
	e.ID = in.UID
	e.Webhook = map[string]any{
		"url": first(endpoint.URL, endpoint.TargetURL), "description": first(endpoint.Description, in.Name, endpoint.Name, endpoint.Title),
		"events": orAll(in.FilterConfig.EventTypes), "format": "raw", "active": endpoint.Status == "" || endpoint.Status == "active",
	}
	e.setRate(endpoint.RateLimit, float64(endpoint.RateLimitDuration))
	e.setTimeout(endpoint.HTTPTimeout)
	e.convoySecret(endpoint.Secrets)
	e.convoySignature(endpoint.AdvancedSignatures, project, choices)
	e.convoyAuth(endpoint)
	switch {
	case in.Type == "cli":
		e.fault("type: is cli; only subscriptions with an endpoint can be moved")
	case strings.Contains(endpoint.ContentType, "form"):
		e.fault("content_type: is %s; Postrider sends JSON", endpoint.ContentType)
	}
	if hasFilter(in.FilterConfig.Filter) {
		e.hold("its filter is in Convoy's language: set one in CEL")
	}
	if in.Function != "" {
		e.hold("its function is JavaScript: set a transformation in CEL")
	}
}

// convoySecret takes the newest secret, which alone signs in Convoy's simple form.
func (e *Endpoint) convoySecret(secrets []convoySecret) {
	for _, secret := range secrets {
		if secret.ExpiresAt == "" {
			e.Webhook["secret"] = secret.Value
		}
	}
	if len(secrets) > 1 {
		e.note("only the secret without an end is carried over")
	}
}

// convoySignature sends Convoy's signature header: simple is the code alone, advanced has the time and a version.
func (e *Endpoint) convoySignature(advanced bool, project convoyProject, choices Choices) {
	signature := project.Config.Signature
	hash, encoding, version := "SHA256", "hex", max(1, len(signature.Versions))
	if len(signature.Versions) > 0 {
		last := signature.Versions[version-1]
		hash, encoding = first(last.Hash, hash), first(last.Encoding, encoding)
	}
	usual := map[string]any{
		"header": first(signature.Header, "X-Convoy-Signature"),
		"hash":   strings.ToLower(hash), "encoding": strings.ToLower(encoding), "prefix": "", "signed": "{body}",
	}
	if advanced {
		usual["prefix"], usual["signed"] = "t={timestamp},v"+strconv.Itoa(version)+"=", "{timestamp},{body}"
		if version > 1 {
			e.note("of the project's %d signatures only the last is sent", version)
		}
	}
	e.sign(choices.Signature, usual)
}

// hasFilter says that a filter has a condition on headers or body.
func hasFilter(filter json.RawMessage) bool {
	var parts map[string]json.RawMessage
	if json.Unmarshal(filter, &parts) != nil {
		return len(filter) > 0 && string(filter) != "null"
	}
	for _, part := range parts {
		if text := strings.ReplaceAll(string(part), " ", ""); text != "null" && text != "{}" && text != `""` && text != "false" {
			return true
		}
	}
	return false
}
