package service

import (
	"context"
	"errors"

	"github.com/postrider/postrider/internal/eventschema"
	"github.com/postrider/postrider/models"
)

// RefusedType is a webhook of a document that did not become an event type.
type RefusedType struct {
	Name   string
	Errors []Field
}

// ImportedTypes is what became of the webhooks of a document, by their names.
type ImportedTypes struct {
	Created, Changed []string
	Refused          []RefusedType
}

// ImportEventTypes puts the webhooks of an OpenAPI document into the catalogue, each for itself: what is refused can be put
// right and imported again. Entries that the document does not have stay.
func (s *Service) ImportEventTypes(ctx context.Context, who Caller, document []byte, force bool) (ImportedTypes, error) {
	if err := onlyAdmins(who); err != nil {
		return ImportedTypes{}, err
	}
	webhooks, err := eventschema.Import(document)
	if err != nil {
		return ImportedTypes{}, invalid("webhooks", err.Error())
	}
	var imported ImportedTypes
	for _, of := range webhooks {
		made, err := s.importOne(ctx, of, force)
		var wrong FieldsError
		var breaks *SchemaBreaksError
		switch {
		case errors.As(err, &wrong):
			imported.Refused = append(imported.Refused, RefusedType{of.Name, wrong})
		case errors.As(err, &breaks):
			imported.Refused = append(imported.Refused, RefusedType{of.Name, breaks.Breaks})
		case err != nil:
			return ImportedTypes{}, err
		case made:
			imported.Created = append(imported.Created, of.Name)
		default:
			imported.Changed = append(imported.Changed, of.Name)
		}
	}
	s.audit(ctx, who, "import-event-types", "event-types", "")
	return imported, nil
}

func (s *Service) importOne(ctx context.Context, of eventschema.Imported, force bool) (made bool, err error) {
	if of.Refused != nil {
		return false, invalid("", of.Refused.Error())
	}
	_, made, err = s.putEventType(ctx, models.EventType{
		Name: of.Name, Description: of.Description, Group: of.Group, Schema: of.Schema, Example: of.Example, Deprecated: of.Deprecated,
	}, force)
	return made, err
}
