package service

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/postrider/postrider/internal/eventschema"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// Bounds of an entry of the catalogue, in characters.
const (
	maxTypeDescription = 4000
	maxTypeGroup       = 100
)

type eventTypeStore interface {
	CreateEventType(ctx context.Context, of *models.EventType) error
	EventType(ctx context.Context, name string) (models.EventType, error)
	EventTypes(ctx context.Context, whole bool, page models.Page) ([]models.EventType, models.Cursors, error)
	PublicEventTypes(ctx context.Context) ([]models.EventType, error)
	PutEventType(ctx context.Context, name string, change func(*models.EventType) error) (of models.EventType, made bool, err error)
	DeleteEventType(ctx context.Context, name string) error
}

const badEventType = "expected words of letters, digits, _ and - joined by dots, such as order.created, at most 128 characters"

// SchemaBreaksError says that a new schema allows what the one before ruled out, and consumers may rely on.
type SchemaBreaksError struct {
	Name   string
	Breaks []Field
}

// Error names the event type.
func (e *SchemaBreaksError) Error() string {
	return "the schema of " + e.Name + " would allow what it ruled out before"
}

// SchemaMember is one of the members that the schema of an event type names.
type SchemaMember = eventschema.Member

// SchemaMembers lists them, those of members after them.
func SchemaMembers(schema []byte) []SchemaMember { return eventschema.Members(schema) }

// eventType checks an entry of the catalogue.
func (f *faults) eventType(of *models.EventType) {
	of.Description, of.Group = tidy(of.Description), tidy(of.Group)
	if models.CheckEventType(of.Name) != nil {
		f.add("name", badEventType)
	}
	if utf8.RuneCountInString(of.Description) > maxTypeDescription || !storable(of.Description) {
		f.add("description", fmt.Sprintf("expected at most %d characters, and no NUL among them", maxTypeDescription))
	} else if fault := unseenFault(of.Description, true); fault != "" {
		f.add("description", fault)
	}
	if utf8.RuneCountInString(of.Group) > maxTypeGroup || !storable(of.Group) {
		f.add("group", fmt.Sprintf("expected at most %d characters, and no NUL among them", maxTypeGroup))
	} else if fault := unseenFault(of.Group, false); fault != "" {
		f.add("group", fault)
	}
	f.schemaAndExample(of)
}

func (f *faults) schemaAndExample(of *models.EventType) {
	if len(of.Example) > eventschema.MaxBytes || !utf8.Valid(of.Example) {
		f.add("example", fmt.Sprintf("expected JSON in UTF-8 of at most %d KiB", eventschema.MaxBytes>>10))
		return
	}
	if of.Schema == nil {
		return
	}
	schema, err := eventschema.Compile(of.Schema)
	if err != nil {
		f.add("schema", err.Error())
		return
	}
	if of.Example == nil {
		return
	}
	for _, fault := range schema.Check(of.Example) {
		f.add("example"+fault.Place, "does not fit the schema: "+fault.Message)
	}
}

// CreateEventType adds to the catalogue. The caller gives all but the ID and the times.
func (s *Service) CreateEventType(ctx context.Context, who Caller, of models.EventType) (models.EventType, error) {
	if err := onlyAdmins(who); err != nil {
		return models.EventType{}, err
	}
	var wrong faults
	if wrong.eventType(&of); wrong.err() != nil {
		return models.EventType{}, wrong.err()
	}
	if err := s.store.CreateEventType(ctx, &of); err != nil {
		return models.EventType{}, err
	}
	s.audit(ctx, who, "create-event-type", of.Name, "")
	return of, nil
}

// ListEventTypes returns a page of the catalogue, for whoever has a key, with the cursors of those beside. whole has schemas
// and examples in it.
func (s *Service) ListEventTypes(ctx context.Context, whole bool, page models.Page) ([]models.EventType, models.Cursors, error) {
	return s.store.EventTypes(ctx, whole, page)
}

// GetEventType returns an entry of the catalogue, for whoever has a key.
func (s *Service) GetEventType(ctx context.Context, name string) (models.EventType, error) {
	of, err := s.store.EventType(ctx, name)
	return of, eventTypeError(name, err)
}

// PublicEventTypes is the catalogue without schemas and examples, for everyone.
func (s *Service) PublicEventTypes(ctx context.Context) ([]models.EventType, error) {
	return s.store.PublicEventTypes(ctx)
}

// PutEventType makes the entry with the name that is given, or replaces the one that is there. A schema that breaks what
// consumers rely on is refused, unless force is set.
func (s *Service) PutEventType(ctx context.Context, who Caller, given models.EventType, force bool) (of models.EventType, made bool, err error) {
	if err := onlyAdmins(who); err != nil {
		return models.EventType{}, false, err
	}
	if models.CheckEventType(given.Name) != nil {
		return models.EventType{}, false, invalid("path name", badEventType)
	}
	if of, made, err = s.putEventType(ctx, given, force); err == nil {
		s.audit(ctx, who, "put-event-type", of.Name, "")
	}
	return of, made, err
}

func (s *Service) putEventType(ctx context.Context, given models.EventType, force bool) (models.EventType, bool, error) {
	var wrong faults
	if wrong.eventType(&given); wrong.err() != nil {
		return models.EventType{}, false, wrong.err()
	}
	return s.store.PutEventType(ctx, given.Name, func(of *models.EventType) error {
		if breaks := eventschema.Breaks(of.Schema, given.Schema); len(breaks) > 0 && !force {
			refused := &SchemaBreaksError{Name: given.Name}
			for _, fault := range breaks {
				refused.Breaks = append(refused.Breaks, Field{"data" + fault.Place, fault.Message})
			}
			return refused
		}
		of.Description, of.Group, of.Deprecated = given.Description, given.Group, given.Deprecated
		of.Schema, of.Example = given.Schema, given.Example
		return nil
	})
}

// DeleteEventType removes an entry of the catalogue. Events of its type are published as before, and not checked any more.
func (s *Service) DeleteEventType(ctx context.Context, who Caller, name string) error {
	if err := onlyAdmins(who); err != nil {
		return err
	}
	if err := s.store.DeleteEventType(ctx, name); err != nil {
		return eventTypeError(name, err)
	}
	s.audit(ctx, who, "delete-event-type", name, "")
	return nil
}

func eventTypeError(name string, err error) error {
	if errors.Is(err, models.ErrNotFound) {
		return &NotFoundError{Kind: typeid.KindEventType, ID: name}
	}
	return err
}
