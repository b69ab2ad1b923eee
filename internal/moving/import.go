package moving

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// What became of an endpoint.
const (
	Created   = "created"
	Changed   = "changed"
	Unchanged = "unchanged"
	Refused   = "refused"
)

// Result is what became of one endpoint.
type Result struct {
	Endpoint Endpoint
	// What is Created, Changed, Unchanged or Refused.
	What string
	// Details say which fields changed, or why it was refused. No secret is in them.
	Details string
}

// Import carries endpoints over. It can be repeated, also after it was stopped at any point: what is there already is found
// by its external_id and changed where the file says something else.
type Import struct {
	API API
	// Owner gets all webhooks; when empty, the file says whose each is, and owners that are missing are made.
	Owner string
	// DryRun only looks.
	DryRun bool
	// Paused makes webhooks paused. Those that are there already stay as they are.
	Paused bool
	// ResetSecrets gives webhooks that are there already the file's secrets again.
	ResetSecrets bool
	// Report is told of each endpoint, in the file's order.
	Report func(Result)

	owners map[string]*ownerState
}

// ownerState is what the installation has of an owner.
type ownerState struct {
	webhooks map[string]object // by external_id
	refused  error
}

// Run carries the endpoints over. An error ends it early: the installation cannot be reached, or does not take the key.
func (i *Import) Run(ctx context.Context, endpoints []Endpoint) error {
	i.owners = make(map[string]*ownerState)
	for _, e := range endpoints {
		if i.Owner != "" {
			e.Owner = Owner{ExternalID: i.Owner}
		}
		what, details, err := i.one(ctx, e)
		var refused *refusedError
		if errors.As(err, &refused) && refused.status != http.StatusForbidden {
			what, details, err = Refused, refused.text, nil
		}
		if err != nil {
			return err
		}
		i.Report(Result{Endpoint: e, What: what, Details: withoutSecrets(details, e.Webhook)})
	}
	return nil
}

// one carries one endpoint over.
func (i *Import) one(ctx context.Context, e Endpoint) (what, details string, err error) {
	if e.Fault != "" {
		return Refused, e.Fault, nil
	}
	owner, err := i.owner(ctx, e.Owner)
	if err != nil {
		return "", "", err
	}
	if webhook, ok := owner.webhooks[e.ID]; ok {
		return i.update(ctx, e, webhook)
	}
	if i.DryRun {
		return Created, "", nil
	}
	webhook := maps.Clone(e.Webhook)
	webhook["owner_id"], webhook["external_id"] = e.Owner.ExternalID, e.ID
	if i.Paused || e.Hold != "" {
		webhook["active"] = false
	}
	_, err = i.API.createWebhook(ctx, webhook, uuid.NewString())
	return Created, "", err
}

// owner returns what is there of an owner, which is made when it is missing.
func (i *Import) owner(ctx context.Context, owner Owner) (*ownerState, error) {
	known, ok := i.owners[owner.ExternalID]
	if !ok {
		state, err := i.load(ctx, owner)
		if err != nil && !errors.As(err, new(*refusedError)) {
			return nil, err
		}
		known = &ownerState{webhooks: state, refused: err}
		i.owners[owner.ExternalID] = known
	}
	return known, known.refused
}

func (i *Import) load(ctx context.Context, owner Owner) (map[string]object, error) {
	if i.Owner == "" {
		there, err := i.API.hasOwner(ctx, owner.ExternalID)
		if refusedWith(err, http.StatusForbidden) {
			return nil, fmt.Errorf("%w; with an owner's key, say with --owner into whose webhooks to import", err)
		}
		if err == nil && !there && !i.DryRun {
			err = i.API.putOwner(ctx, owner)
		}
		if err != nil {
			return nil, inOwner(err)
		}
		if !there {
			return nil, nil
		}
	}
	webhooks, err := i.API.webhooks(ctx, owner.ExternalID)
	return webhooks, inOwner(err)
}

// inOwner says of a refusal that it is the owner that is refused.
func inOwner(err error) error {
	var refused *refusedError
	if errors.As(err, &refused) {
		return &refusedError{refused.status, "owner: " + refused.text}
	}
	return err
}

// update changes a webhook where the file says something else.
func (i *Import) update(ctx context.Context, e Endpoint, webhook object) (what, details string, err error) {
	want := maps.Clone(e.Webhook)
	// Who resumed a webhook that was made paused, and whom Postrider disabled, is not overruled.
	if i.Paused || e.Hold != "" || webhook["disabled_reason"] != nil {
		delete(want, "active")
	}
	patch := difference(webhook, want)
	if i.ResetSecrets {
		for _, name := range hidden[1:] {
			if want[name] != nil {
				patch[name] = want[name]
			}
		}
	}
	id, _ := webhook["id"].(string)
	if i.DryRun {
		return outcome(slices.Sorted(maps.Keys(patch)), i.ResetSecrets)
	}
	var names []string
	if len(patch) > 0 {
		now, err := i.API.patchWebhook(ctx, id, patch)
		if err != nil {
			return "", "", err
		}
		names = changed(patch, webhook, now)
	}
	if i.ResetSecrets {
		secret, _ := want["secret"].(string)
		if err := i.API.setSecret(ctx, id, secret, uuid.NewString()); err != nil {
			return "", "", err
		}
	}
	return outcome(names, i.ResetSecrets)
}

// outcome says what became of a webhook that was there.
func outcome(names []string, secret bool) (what, details string, err error) {
	if secret {
		names = append(names, "secret")
	}
	if len(names) == 0 {
		return Unchanged, "", nil
	}
	return Changed, strings.Join(names, ", "), nil
}

// withoutSecrets takes whatever is secret out of a text.
func withoutSecrets(text string, webhook object) string {
	for _, secret := range secretsOf(webhook, false) {
		text = strings.ReplaceAll(text, secret, masked)
	}
	return text
}

// shortestSecret is in bytes. What is shorter might stand in any text, and is no secret.
const shortestSecret = 8

// secretsOf are the texts of a webhook that nobody is to see.
func secretsOf(of any, secret bool) []string {
	var found []string
	switch of := of.(type) {
	case string:
		if secret && len(of) >= shortestSecret {
			found = append(found, of)
		}
	case object:
		for name, value := range of {
			found = append(found, secretsOf(value, secret || name == "headers" || slices.Contains(secretFields, name))...)
		}
	case []any:
		for _, value := range of {
			found = append(found, secretsOf(value, secret)...)
		}
	}
	return found
}

// String is the result in a line: what became of whose endpoint, and what is not carried over.
func (r Result) String() string {
	e := r.Endpoint
	line := fmt.Sprintf("line %d: %s", e.Line, r.What)
	if id := strings.Trim(e.Owner.ExternalID+"/"+e.ID, "/"); id != "" {
		line += " " + id
	}
	if r.Details != "" {
		line += ": " + r.Details
	}
	notes := e.Notes
	if e.Hold != "" && r.What == Created {
		notes = append(slices.Clone(notes), "made paused, because "+e.Hold+", then resume it")
	}
	if len(notes) > 0 && r.What != Refused {
		line += " (" + strings.Join(notes, "; ") + ")"
	}
	return line
}
