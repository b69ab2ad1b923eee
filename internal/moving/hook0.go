package moving

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// hook0Subscription is a subscription as Hook0 lists it.
type hook0Subscription struct {
	ApplicationID  string            `json:"application_id"`
	SubscriptionID string            `json:"subscription_id"`
	Enabled        *bool             `json:"is_enabled"`
	EventTypes     []string          `json:"event_types"`
	Description    string            `json:"description"`
	Secret         string            `json:"secret"`
	Metadata       map[string]string `json:"metadata"`
	Labels         map[string]string `json:"labels"`
	Target         struct {
		Type    string           `json:"type"`
		Method  string           `json:"method"`
		URL     string           `json:"url"`
		Headers map[string]texts `json:"headers"`
	} `json:"target"`
}

// hook0Signature is Hook0's form v1, which tells the receiver what headers are signed: here the one that is always the same.
var hook0Signature = map[string]any{
	"header": "X-Hook0-Signature", "hash": "sha256", "encoding": "hex",
	"prefix": "t={timestamp},h=content-type,v1=", "signed": "{timestamp}.content-type.application/json.{body}",
}

// readHook0 reads the list of an application's subscriptions, or several of them.
func readHook0(f *file, choices Choices) ([]Endpoint, error) {
	return readEach(f, choices, hook0)
}

func hook0(e *Endpoint, of value, choices Choices) error {
	var in hook0Subscription
	if err := of.into(&in); err != nil {
		return err
	}
	owner, labels := in.ApplicationID, maps.Clone(in.Labels)
	if choices.Label != "" {
		owner = in.Labels[choices.Label]
		delete(labels, choices.Label)
	}
	e.Owner, e.ID = Owner{owner, ownerFields(owner, nil)}, in.SubscriptionID
	e.Webhook = map[string]any{
		"url": in.Target.URL, "description": in.Description, "events": orAll(in.EventTypes), "secret": in.Secret,
		"format": "raw", "active": in.Enabled == nil || *in.Enabled,
	}
	switch {
	case choices.Label != "" && owner == "":
		e.fault("labels: has no %s, which is to name the owner", choices.Label)
	case in.Target.Type != "" && in.Target.Type != "http":
		e.fault("target.type: is %q; Postrider sends HTTP", in.Target.Type)
	case in.Target.Method != "" && !strings.EqualFold(in.Target.Method, "POST"):
		e.fault("target.method: is %q; Postrider sends POST", in.Target.Method)
	}
	for name, values := range in.Target.Headers {
		e.setHeader(name, strings.Join(values, ", "))
	}
	e.setMetadata(in.Metadata)
	e.sign(choices.Signature, hook0Signature)
	if len(labels) > 0 {
		e.Webhook["filter"] = labelFilter(labels)
		e.note("its labels have become a filter over the metadata of events")
	}
	return nil
}

// labelFilter lets events pass whose metadata has the labels.
func labelFilter(labels map[string]string) string {
	var conditions []string
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		conditions = append(conditions, fmt.Sprintf("%s in metadata && metadata[%[1]s] == %s", celText(name), celText(labels[name])))
	}
	return strings.Join(conditions, " && ")
}

// celText writes a text in CEL, whose quotes and escapes are those of JSON.
func celText(text string) string {
	var written strings.Builder
	encoder := json.NewEncoder(&written)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // a text can always be encoded
	return strings.TrimSuffix(written.String(), "\n")
}
