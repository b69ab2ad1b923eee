package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/postrider/postrider/models"
)

// allAtOnce is how many events of a batch are stored in one statement. PostgreSQL expects few events, and so compares each
// with each.
const allAtOnce = 100

// PublishAll stores events as Publish does, all in one transaction, in their order. One whose idempotency key was used
// before, here or in a transaction of before, is not stored again; its answer is that of Publish. Of an event with more
// than a few deliveries these are not returned: a FanOut starts them.
func (s *Store) PublishAll(ctx context.Context, events []models.Event) ([]models.BatchOutcome, error) {
	events = slices.Clone(events)
	now := s.Now()
	for i := range events {
		identifyAt(&events[i], now.Add(time.Duration(i)*time.Microsecond)) // a microsecond apart, the IDs sort as the events do
	}
	var outcomes []models.BatchOutcome
	err := unlessDeadlocked(func() error {
		return s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) (err error) {
			outcomes, err = s.publishAll(tx, events)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("publish events: %w", err)
	}
	return outcomes, nil
}

// keyUse is who used which idempotency key.
type keyUse struct{ ownerID, key string }

func useOf(event models.Event) keyUse { return keyUse{event.OwnerID, keyOf(event)} }

func (s *Store) publishAll(tx *gorm.DB, events []models.Event) ([]models.BatchOutcome, error) {
	firsts, repeats := firstUses(events)
	stored, err := s.storeAll(tx, firsts)
	if err != nil {
		return nil, err
	}
	for _, event := range firsts {
		if _, ok := stored[event.ID]; !ok {
			repeats = append(repeats, event)
		}
	}
	earlier, err := eventsWithKeys(tx, repeats)
	if err != nil {
		return nil, err
	}
	outcomes := make([]models.BatchOutcome, len(events))
	for i, event := range events {
		published, ok := stored[event.ID]
		outcomes[i].Published = published
		if ok {
			continue
		}
		first, found := earlier[useOf(event)]
		switch {
		case !found: // purged meanwhile, or the transaction that used it was rolled back
			return nil, errKeyUsed
		case !sameRequest(first, event):
			outcomes[i].Err = models.ErrIdempotencyConflict
		default:
			outcomes[i].Published = models.Published{Event: first, Duplicate: true}
		}
	}
	return outcomes, nil
}

// firstUses parts events from those whose idempotency key an earlier one of the batch has.
func firstUses(events []models.Event) (firsts, repeats []models.Event) {
	used := map[keyUse]bool{}
	for _, event := range events {
		if use := useOf(event); event.IdempotencyKey != nil && used[use] {
			repeats = append(repeats, event)
		} else {
			used[use] = true
			firsts = append(firsts, event)
		}
	}
	return firsts, repeats
}

// storeAll stores those events whose idempotency keys were not used before, and returns them by ID.
func (s *Store) storeAll(tx *gorm.DB, events []models.Event) (map[string]models.Published, error) {
	if tx.Name() != "postgres" {
		return s.storeEach(tx, events)
	}
	stored := make(map[string]models.Published, len(events))
	statements := 0
	for some := range chunks(inLockOrder(events)) {
		statements++
		outcomes, err := s.publishTogether(tx, some, anyDeliveries, min(s.mostDeliveries, sharedDeliveries))
		if err != nil {
			return nil, err
		}
		for i, outcome := range outcomes {
			if outcome.filtered {
				statements++
				outcome, err = s.storeFiltered(tx, some[i])
			}
			if err != nil {
				return nil, err
			}
			if !outcome.keyUsed {
				stored[outcome.published.Event.ID] = outcome.published
			}
		}
	}
	if statements > 1 {
		err := queueInOrder(tx, stored)
		return stored, err
	}
	return stored, nil
}

// storeFiltered stores an event of a batch whose webhooks' filters have to be asked. A savepoint keeps the transaction when
// its key was used before.
func (s *Store) storeFiltered(tx *gorm.DB, event models.Event) (outcome publishOutcome, err error) {
	err = tx.Transaction(func(tx *gorm.DB) error {
		outcome.published, err = s.storeOne(tx, event)
		return err
	})
	if event.IdempotencyKey != nil && isUniqueViolation(err) {
		return publishOutcome{keyUsed: true}, nil
	}
	return outcome, err
}

// storeOne stores an event of a batch in a statement of its own.
func (s *Store) storeOne(tx *gorm.DB, event models.Event) (models.Published, error) {
	published, err := s.insertEvent(tx, event, insertion{leasedUntil: s.leasedUntil(event)})
	if len(published.Deliveries) > min(s.mostDeliveries, sharedDeliveries) {
		published.Deliveries = nil
	}
	return published, err
}

// storeEach is storeAll on SQLite, which has one writer: nobody uses a key meanwhile.
func (s *Store) storeEach(tx *gorm.DB, events []models.Event) (map[string]models.Published, error) {
	used, err := eventsWithKeys(tx, events)
	if err != nil {
		return nil, err
	}
	stored := make(map[string]models.Published, len(events))
	for _, event := range events {
		if _, before := used[useOf(event)]; before && event.IdempotencyKey != nil {
			continue
		}
		if stored[event.ID], err = s.storeOne(tx, event); err != nil {
			return nil, err
		}
	}
	return stored, nil
}

// chunks parts events that are sorted by owner into what one statement stores: broadcast ones need another one than those
// of owners.
func chunks(events []models.Event) func(yield func([]models.Event) bool) {
	broadcast := slices.IndexFunc(events, func(event models.Event) bool { return event.OwnerID != "" })
	if broadcast < 0 {
		broadcast = len(events)
	}
	return func(yield func([]models.Event) bool) {
		for _, part := range [][]models.Event{events[:broadcast], events[broadcast:]} {
			for some := range slices.Chunk(part, allAtOnce) {
				if !yield(some) {
					return
				}
			}
		}
	}
}

// eventsWithKeys returns the events that are stored with the idempotency keys of some.
func eventsWithKeys(tx *gorm.DB, events []models.Event) (map[keyUse]models.Event, error) {
	keys := map[string][]string{}
	for _, event := range events {
		if event.IdempotencyKey != nil {
			keys[event.OwnerID] = append(keys[event.OwnerID], *event.IdempotencyKey)
		}
	}
	found := map[keyUse]models.Event{}
	for ownerID, of := range keys {
		var stored []models.Event
		err := tx.Where("owner_id = @owner AND "+keysSQL(tx), map[string]any{"owner": ownerID, "keys": keyList(tx, of)}).Find(&stored).Error
		if err != nil {
			return nil, fmt.Errorf("look up idempotency keys: %w", err)
		}
		for _, event := range stored {
			found[useOf(event)] = event
		}
	}
	return found, nil
}

// keysSQL says that an idempotency key is one of @keys, which keyList makes: one parameter for any number of them.
func keysSQL(tx *gorm.DB) string {
	if tx.Name() == "postgres" {
		return "idempotency_key = ANY(string_to_array(@keys, ' '))" // a key has no blank
	}
	return "idempotency_key IN (SELECT value FROM json_each(@keys))"
}

func keyList(tx *gorm.DB, keys []string) string {
	if tx.Name() == "postgres" {
		return strings.Join(keys, " ")
	}
	return idList(tx, keys)
}
