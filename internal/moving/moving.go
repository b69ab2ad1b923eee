// Package moving carries endpoints of other systems over to a running installation: it reads what those systems export
// and makes webhooks of it through the REST API, so that keys, limits and checks are those of every other caller.
package moving

import (
	"errors"
	"fmt"
	"strings"
)

// Endpoint is one endpoint of an export.
type Endpoint struct {
	// Line is where it begins in the file.
	Line  int
	Owner Owner
	// ID becomes the webhook's external_id: it finds the webhook again in a second run.
	ID string
	// Webhook has the fields of the webhook as POST /api/webhooks takes them, without owner and external_id.
	Webhook map[string]any
	// Hold says why the webhook is to be made paused, when something decides over what it gets that cannot be carried over.
	Hold string
	// Notes say what else is not carried over.
	Notes []string
	// Fault says why it cannot be carried over at all, and what to change.
	Fault string
}

// Owner is whom an endpoint belongs to.
type Owner struct {
	ExternalID string
	// Fields are those of PUT /api/owners/{external_id}.
	Fields map[string]any
}

// The systems whose exports are read.
const (
	Svix    = "svix"
	Convoy  = "convoy"
	Outpost = "outpost"
	Hook0   = "hook0"
	CSV     = "csv"
	JSON    = "json"
)

// Choices are what an export does not tell.
type Choices struct {
	// Signature is the header that receivers verify, as in `signatures` of a webhook but without the secret; nil for the
	// system's default. An empty one is none.
	Signature map[string]any
	// Label names the label of Hook0 whose value is the owner; empty for the application.
	Label string
}

// Read reads an export. An error means that the file as a whole is not of the form; what is wrong with one endpoint is its
// Fault.
func Read(system string, content []byte, choices Choices) ([]Endpoint, error) {
	f := newFile(content)
	var endpoints []Endpoint
	var err error
	switch system {
	case Svix:
		endpoints, err = readSvix(f, choices)
	case Convoy:
		endpoints, err = readConvoy(f, choices)
	case Outpost:
		endpoints, err = readOutpost(f, choices)
	case Hook0:
		endpoints, err = readHook0(f, choices)
	case CSV:
		endpoints, err = readCSV(f, choices)
	case JSON:
		endpoints, err = readJSON(f, choices)
	default:
		return nil, fmt.Errorf("unknown system %q", system)
	}
	if err != nil {
		return nil, err
	}
	if len(endpoints) == 0 {
		return nil, errors.New("there is no endpoint in the file")
	}
	checkAll(endpoints)
	return endpoints, nil
}

// checkAll refuses what every system's endpoints need: an owner, an ID that stands once, a URL and a secret.
func checkAll(endpoints []Endpoint) {
	type key struct{ owner, id string }
	lines := make(map[key]int, len(endpoints))
	for i := range endpoints {
		e := &endpoints[i]
		at := key{e.Owner.ExternalID, e.ID}
		secret, _ := e.Webhook["secret"].(string)
		url, _ := e.Webhook["url"].(string)
		switch first := lines[at]; {
		case e.Fault != "":
		case e.Owner.ExternalID == "":
			e.Fault = "owner: missing; say whose endpoint it is"
		case e.ID == "":
			e.Fault = "external_id: missing; give the endpoint's ID, by which a second run finds it again"
		case strings.TrimSpace(url) == "":
			e.Fault = "url: missing"
		case strings.TrimSpace(secret) == "":
			e.Fault = "secret: missing; without it the receiver would refuse what Postrider signs. Export it too"
		case first != 0:
			e.Fault = fmt.Sprintf("external_id: stands on line %d already; give each endpoint of an owner an ID of its own", first)
		default:
			lines[at] = e.Line
		}
	}
}
