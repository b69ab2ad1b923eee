package service

import (
	"context"
	"errors"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/postrider/postrider/internal/eventschema"
	"github.com/postrider/postrider/models"
)

const (
	// keptSchemas is how many event types' schemas a process keeps compiled.
	keptSchemas = 2000
	// schemaAge is how long a process may go on with a schema that was changed, by another process for one.
	schemaAge = 2 * time.Second
)

// schemas holds events against the schemas of the catalogue. Each is compiled once, and looked up again when it is older
// than schemaAge.
type schemas struct {
	store eventTypeStore
	now   func() time.Time
	kept  *lru.Cache[string, keptSchema]
}

// keptSchema is what the catalogue had of a type at a time.
type keptSchema struct {
	// schema is nil where the catalogue has none: such events are not checked.
	schema    *eventschema.Schema
	updatedAt time.Time
	checkedAt time.Time
}

func newSchemas(store eventTypeStore, now func() time.Time) *schemas {
	kept, err := lru.New[string, keptSchema](keptSchemas)
	if err != nil {
		panic(err) // for a size below 1
	}
	return &schemas{store: store, now: now, kept: kept}
}

// of returns the schema of an event type; nil where there is none.
func (c *schemas) of(ctx context.Context, name string) (*eventschema.Schema, error) {
	now := c.now()
	known, ok := c.kept.Get(name)
	if ok && now.Sub(known.checkedAt) < schemaAge && !now.Before(known.checkedAt) {
		return known.schema, nil
	}
	found, err := c.store.EventType(ctx, name)
	if err != nil && !errors.Is(err, models.ErrNotFound) {
		return nil, err
	}
	fresh := keptSchema{updatedAt: found.UpdatedAt, checkedAt: now}
	switch {
	case found.Schema == nil:
	case ok && known.schema != nil && known.updatedAt.Equal(found.UpdatedAt):
		fresh.schema = known.schema
	default:
		if fresh.schema, err = eventschema.Compile(found.Schema); err != nil {
			return nil, err
		}
	}
	c.kept.Add(name, fresh)
	return fresh.schema, nil
}

// fits checks an event's data against the catalogue, where the installation asks for that. What the catalogue does not
// know may be published.
func (s *Service) fits(ctx context.Context, event models.Event, wrong *faults) error {
	if s.schemas == nil || len(wrong.fields) > 0 {
		return nil
	}
	schema, err := s.schemas.of(ctx, event.Type)
	if err != nil || schema == nil {
		return err
	}
	for _, fault := range schema.Check(event.Data) {
		wrong.add("data"+fault.Place, "does not fit the schema of "+event.Type+": "+fault.Message)
	}
	return nil
}
