package store

import (
	"context"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// found lists the deliveries that a search finds; all, without one.
//
// The search may mean several things. Each is read as a list of its own, in the order of the page and not further than the
// page goes, and the page is merged from them.
func (s *Store) found(ctx context.Context, scope models.Scope, filter models.DeliveryFilter, page models.Page, of listing[models.Delivery]) ([]models.Delivery, models.Cursors, error) {
	q := between(visible(scope, s.db.WithContext(ctx)), typeid.KindDelivery, filter.Since, filter.Until).Session(&gorm.Session{})
	if len(filter.Search.Words) == 0 {
		return list(q, page, of)
	}
	at, err := positionOf(page, of.kind)
	if err != nil {
		return nil, models.Cursors{}, err
	}
	rows, err := named(q, scope, filter, at, of)
	if err != nil {
		return nil, models.Cursors{}, err
	}
	worded, reached, err := s.worded(q, scope, filter, at, of)
	if err != nil {
		return nil, models.Cursors{}, err
	}
	rows = append(rows, worded...)
	slices.SortFunc(rows, func(a, b models.Delivery) int { return at.compare(a.ID, b.ID) })
	rows = slices.CompactFunc(rows, func(a, b models.Delivery) bool { return a.ID == b.ID })
	if reached != "" {
		rows = slices.DeleteFunc(rows, func(d models.Delivery) bool { return at.compare(d.ID, reached) > 0 })
	}
	full := len(rows) > at.Limit
	rows, cursors, err := cut(at, rows, of.id, of.fill)
	switch {
	case full:
	case reached != "":
		cursors = at.goingOn(cursors, reached)
	case len(rows) == 0 && at.id != "":
		cursors = at.turningBack(of.kind)
	}
	return rows, cursors, err
}

// named reads the deliveries that the search names: by an ID of theirs, or by their type.
func named(q *gorm.DB, scope models.Scope, filter models.DeliveryFilter, at position, of listing[models.Delivery]) ([]models.Delivery, error) {
	search := filter.Search
	var name oneOf
	var err error
	switch {
	case search.Kind == typeid.KindDelivery:
		return read(beginsWith(q, search.ID), at, of)
	case search.ID != "":
		name, err = idsBeginning(q, scope, search)
	case search.Event != "":
		name, err = typesBeginning(q, search.Event)
	}
	if err != nil || len(name.values) == 0 {
		return nil, err
	}
	// Of one owner or webhook, what is of many types is most of it: its own index leads there, not one branch for each type.
	if len(name.values) > 1 && (scope.OwnerID != "" || len(filter.OwnerIDs) == 1 || len(filter.WebhookIDs) == 1) {
		return read(name.on(q), at, of)
	}
	of.filters = append([]oneOf{name}, of.filters...)
	return read(q, at, of)
}

// beginsWith narrows a query to rows whose ID begins with a text of the digits of IDs.
func beginsWith(q *gorm.DB, begin string) *gorm.DB {
	return q.Where("id >= ? AND id < ?", begin, begin+"~")
}

// idsBeginning looks up which IDs of events, webhooks or owners begin with the one of the search.
func idsBeginning(q *gorm.DB, scope models.Scope, search models.Search) (oneOf, error) {
	db := q.Session(&gorm.Session{NewDB: true})
	var name oneOf
	switch search.Kind {
	case typeid.KindEvent:
		name.column, db = "event_id", db.Model(&models.Event{})
		if scope.OwnerID != "" {
			db = db.Where("owner_id IN ?", []string{scope.OwnerID, ""})
		}
	case typeid.KindWebhook:
		name.column, db = "webhook_id", visible(scope, db.Model(&models.Webhook{}))
	default:
		name.column, db = "owner_id", db.Model(&models.Owner{})
		if scope.OwnerID != "" {
			db = db.Where("id = ?", scope.OwnerID)
		}
	}
	if typeid.Check(search.Kind, search.ID) == nil {
		name.values = []string{search.ID} // also of what is gone
		return name, nil
	}
	err := beginsWith(db, search.ID).Order("id").Limit(models.MaxFilterValues+1).Pluck("id", &name.values).Error
	if err == nil && len(name.values) > models.MaxFilterValues {
		err = models.ErrSearchTooWide
	}
	return name, err
}

// typesSQL finds every type of events that the log has, of each the first entry of its index: however many deliveries
// there are, it takes as many steps as there are types.
const typesSQL = `
WITH RECURSIVE types AS (
    SELECT * FROM (SELECT event FROM deliveries ORDER BY event LIMIT 1) first
    UNION ALL
    SELECT (SELECT d.event FROM deliveries d WHERE d.event > t.event ORDER BY d.event LIMIT 1) FROM types t WHERE t.event IS NOT NULL)
SELECT event FROM types WHERE event IS NOT NULL AND substr(event, 1, ?) = ? LIMIT ?`

func typesBeginning(q *gorm.DB, begin string) (oneOf, error) {
	name := oneOf{column: "event"}
	err := q.Session(&gorm.Session{NewDB: true}).Raw(typesSQL, len(begin), begin, mostBranches+1).Scan(&name.values).Error
	if err == nil && len(name.values) > mostBranches {
		err = models.ErrSearchTooWide
	}
	return name, err
}

// deliveryWord says that a word is in a delivery's last error or in the values of its event's metadata. Triggers write it.
type deliveryWord struct {
	DeliveryID string `gorm:"primaryKey"`
	Word       string `gorm:"primaryKey"`
	// OwnerKey is models.LogKey of the owner.
	OwnerKey string
}

const (
	// mostSearched is how many deliveries with a word are looked at for one page, mostAtOnce how many in one statement.
	mostSearched = 5_000
	mostAtOnce   = 1_000
)

// worded reads the deliveries that have every word of the search. It goes through those with the rarest word, in the order of
// the page, until that is full or it has looked at mostSearched: then it says which delivery it has reached.
func (s *Store) worded(q *gorm.DB, scope models.Scope, filter models.DeliveryFilter, at position, of listing[models.Delivery]) (rows []models.Delivery, reached string, err error) {
	candidates := candidatesOf(q, scope, filter)
	words, err := rarestFirst(candidates, filter.Search.Words)
	if err != nil || len(words) == 0 {
		return nil, "", err
	}
	candidates = candidates.Where("word = ?", words[0]).Session(&gorm.Session{})
	for _, narrowed := range of.filters {
		q = narrowed.on(q)
	}
	if len(words) > 1 { // as a value, each is looked up whatever the statistics say
		q = q.Where("(SELECT count(*) FROM delivery_words w WHERE w.delivery_id = deliveries.id AND w.word IN ?) = ?", words, len(words))
	}
	q = q.Session(&gorm.Session{})
	for looked, size := 0, min(at.Limit+1, s.mostSearched); looked < s.mostSearched; looked, size = looked+size, min(mostAtOnce, s.mostSearched-looked-size) {
		var ids []string
		if err := at.from(candidates, "delivery_id", reached).Limit(size).Pluck("delivery_id", &ids).Error; err != nil {
			return nil, "", err
		}
		var found []models.Delivery
		if err := q.Where(amongSQL(q, "id"), map[string]any{"ids": idList(q, ids)}).Find(&found).Error; err != nil {
			return nil, "", err
		}
		if rows = append(rows, found...); len(rows) > at.Limit || len(ids) < size {
			return rows, "", nil
		}
		reached = ids[len(ids)-1]
	}
	return rows, reached, nil
}

// candidatesOf are the words of deliveries that the scope sees and that were made within the times of the filter.
func candidatesOf(q *gorm.DB, scope models.Scope, filter models.DeliveryFilter) *gorm.DB {
	words := q.Session(&gorm.Session{NewDB: true}).Model(&deliveryWord{})
	switch {
	case scope.OwnerID != "":
		words = words.Where("owner_key = ?", models.LogKey(scope.OwnerID))
	case len(filter.OwnerIDs) == 1:
		words = words.Where("owner_key = ?", models.LogKey(filter.OwnerIDs[0]))
	}
	if since := wholeMicrosecond(filter.Since); !since.IsZero() {
		words = words.Where("delivery_id >= ?", typeid.First(typeid.KindDelivery, since))
	}
	if until := wholeMicrosecond(filter.Until); !until.IsZero() {
		words = words.Where("delivery_id < ?", typeid.First(typeid.KindDelivery, until.Add(time.Millisecond)))
	}
	return words.Session(&gorm.Session{})
}

// rarestFirst puts the word first that the fewest candidates have; there are no words when none has one of them.
func rarestFirst(candidates *gorm.DB, words []string) ([]string, error) {
	if len(words) == 1 {
		return words, nil
	}
	words = slices.Clone(words)
	rarest := int64(mostSearched + 1)
	for i, word := range words {
		var n int64
		some := candidates.Select("delivery_id").Where("word = ?", word).Order("delivery_id").Limit(mostSearched) // in order, by the index
		if err := candidates.Session(&gorm.Session{NewDB: true}).Table("(?) AS counted", some).Count(&n).Error; err != nil {
			return nil, err
		}
		if n == 0 {
			return nil, nil
		}
		if n < rarest {
			rarest, words[0], words[i] = n, word, words[0]
		}
	}
	return words, nil
}
