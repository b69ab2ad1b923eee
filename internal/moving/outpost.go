package moving

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
)

// outpostTenant is a tenant of Outpost as its API answers.
type outpostTenant struct {
	ID       string            `json:"id"`
	Metadata map[string]string `json:"metadata"`
}

// outpostDestination is a destination as Outpost answers it to an administrator.
type outpostDestination struct {
	ID     string          `json:"id"`
	Type   string          `json:"type"`
	Topics texts           `json:"topics"`
	Filter json.RawMessage `json:"filter"`
	Config struct {
		URL           string          `json:"url"`
		CustomHeaders json.RawMessage `json:"custom_headers"`
	} `json:"config"`
	Credentials struct {
		Secret         string `json:"secret"`
		PreviousSecret string `json:"previous_secret"`
	} `json:"credentials"`
	DeliveryMetadata map[string]string `json:"delivery_metadata"`
	Metadata         map[string]string `json:"metadata"`
	DisabledAt       *string           `json:"disabled_at"`
}

// outpostSignature is the header that Outpost signs with unless it is configured otherwise.
var outpostSignature = map[string]any{
	"header": "x-outpost-signature", "hash": "sha256", "encoding": "hex", "prefix": "v0=", "signed": "{body}",
}

// readOutpost reads one object for each tenant: {"tenant", "destinations"}, each as Outpost answers it.
func readOutpost(f *file, choices Choices) ([]Endpoint, error) {
	tenants, err := f.values()
	if err != nil {
		return nil, err
	}
	var endpoints []Endpoint
	for _, top := range tenants {
		for _, element := range top.elements() {
			var tenant outpostTenant
			var fault error
			if of, ok := element.member("tenant"); ok {
				fault = of.into(&tenant)
			}
			destinations, ok := element.member("destinations")
			if !ok {
				endpoints = append(endpoints, Endpoint{Line: element.line(), Fault: "destinations: missing; expected an object with tenant and destinations"})
				continue
			}
			for _, destination := range destinations.list("models", "data") {
				e := Endpoint{Line: destination.line(), Owner: Owner{tenant.ID, ownerFields(tenant.ID, tenant.Metadata)}}
				if err := errors.Join(fault, outpost(&e, destination, choices)); err != nil {
					e.fault("%s", err)
				}
				endpoints = append(endpoints, e)
			}
		}
	}
	return endpoints, nil
}

func outpost(e *Endpoint, of value, choices Choices) error {
	var in outpostDestination
	if err := of.into(&in); err != nil {
		return err
	}
	e.ID = in.ID
	e.Webhook = map[string]any{
		"url": in.Config.URL, "events": orAll(in.Topics), "secret": in.Credentials.Secret, "format": "raw",
		"active": in.DisabledAt == nil,
	}
	if in.Type != "webhook" {
		e.fault("type: is %q; only webhooks can be moved, Postrider sends HTTP", in.Type)
		return nil
	}
	headers, err := customHeaders(in.Config.CustomHeaders)
	if err != nil {
		return err
	}
	e.setHeaders(headers)
	for name, value := range in.DeliveryMetadata {
		e.setHeader("x-outpost-"+strings.ToLower(name), value)
	}
	e.setMetadata(in.Metadata)
	e.sign(choices.Signature, outpostSignature)
	if !slices.Contains([]string{"", "null", "{}"}, string(in.Filter)) {
		e.hold("its filter is in Outpost's language: set one in CEL")
	}
	if in.Credentials.PreviousSecret != "" {
		e.note("the previous secret is not carried over: let its time end first")
	}
	return nil
}

// customHeaders reads headers that are an object, or a text that holds one.
func customHeaders(of json.RawMessage) (map[string]string, error) {
	var written string
	if json.Unmarshal(of, &written) == nil {
		of = json.RawMessage(written)
	}
	if len(of) == 0 || string(of) == "null" {
		return nil, nil
	}
	var headers map[string]string
	if json.Unmarshal(of, &headers) != nil {
		return nil, errors.New("config.custom_headers: expected a JSON object of texts")
	}
	return headers, nil
}
