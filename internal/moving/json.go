package moving

import (
	"encoding/json"
	"errors"
	"maps"
)

// jsonWebhook is what Postrider's own form has besides the fields of a webhook.
type jsonWebhook struct {
	Owner      json.RawMessage `json:"owner"`
	OwnerID    string          `json:"owner_id"`
	ExternalID string          `json:"external_id"`
}

// readJSON reads Postrider's own form: for each webhook the fields of POST /api/webhooks, with the owner.
func readJSON(f *file, choices Choices) ([]Endpoint, error) {
	return readEach(f, choices, ownForm, "webhooks", "data")
}

func ownForm(e *Endpoint, of value, choices Choices) error {
	var in jsonWebhook
	if err := errors.Join(of.into(&e.Webhook), of.into(&in)); err != nil {
		return err
	}
	e.ID = in.ExternalID
	e.Owner = Owner{in.OwnerID, ownerFields(in.OwnerID, nil)}
	if owner, ok := of.member("owner"); ok {
		var err error
		if e.Owner, err = ownOwner(owner); err != nil {
			return err
		}
	}
	for _, name := range []string{"owner", "owner_id", "external_id"} {
		delete(e.Webhook, name)
	}
	if e.Webhook["signatures"] == nil {
		e.sign(choices.Signature, nil)
	}
	return nil
}

// ownOwner reads an owner: its external_id, or an object with the fields of an owner.
func ownOwner(of value) (Owner, error) {
	var id string
	if of.into(&id) == nil {
		return Owner{id, ownerFields(id, nil)}, nil
	}
	var fields map[string]any
	if of.into(&fields) != nil {
		return Owner{}, errors.New("owner: expected the owner's external_id, or an object with external_id, name and more")
	}
	id, _ = fields["external_id"].(string)
	fields = maps.Clone(fields)
	delete(fields, "external_id")
	if fields["name"] == nil {
		fields["name"] = id
	}
	return Owner{id, fields}, nil
}
