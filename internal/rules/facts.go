package rules

import (
	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/postrider/postrider/models"
)

// variables are what an expression may name. The members of event and webhook are variables of their own, so that one that
// is not there is refused when the expression is set.
var variables = map[string]*cel.Type{
	"event.id":            cel.StringType,
	"event.type":          cel.StringType,
	"event.time":          cel.TimestampType,
	"event.owner_id":      cel.StringType,
	"data":                cel.DynType,
	"metadata":            cel.MapType(cel.StringType, cel.StringType),
	"webhook.id":          cel.StringType,
	"webhook.owner_id":    cel.StringType,
	"webhook.host":        cel.StringType,
	"webhook.external_id": cel.StringType,
	"webhook.metadata":    cel.MapType(cel.StringType, cel.StringType),
}

// facts are the values of the variables. They are an Activation of CEL, which asks for them by name.
type facts struct {
	event   models.Event
	webhook models.Webhook
	data    ref.Val
	// fault, unless nil, says why there are no data.
	fault *Fault
}

func factsOf(event models.Event) facts {
	data, fault := read(event.Data)
	return facts{event: event, data: data, fault: fault}
}

// about are the facts for a webhook.
func (f facts) about(webhook models.Webhook) facts {
	f.webhook = webhook
	return f
}

// ResolveName returns the value of a variable.
func (f facts) ResolveName(name string) (any, bool) {
	switch name {
	case "data":
		return f.data, true
	case "event.type":
		return types.String(f.event.Type), true
	case "event.id":
		return types.String(f.event.ID), true
	case "event.time":
		return types.Timestamp{Time: f.event.Occurred().UTC()}, true
	case "event.owner_id":
		return types.String(f.event.OwnerID), true
	case "metadata":
		return types.NewStringStringMap(types.DefaultTypeAdapter, f.event.Metadata), true
	case "webhook.id":
		return types.String(f.webhook.ID), true
	case "webhook.owner_id":
		return types.String(f.webhook.OwnerID), true
	case "webhook.host":
		return types.String(f.webhook.Host), true
	case "webhook.external_id":
		if f.webhook.ExternalID == nil {
			return types.String(""), true
		}
		return types.String(*f.webhook.ExternalID), true
	case "webhook.metadata":
		return types.NewStringStringMap(types.DefaultTypeAdapter, f.webhook.Metadata), true
	}
	return nil, false
}

// Parent is nil: there is nothing behind the facts.
func (facts) Parent() cel.Activation { return nil }
