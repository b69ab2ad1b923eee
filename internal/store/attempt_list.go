package store

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// AttemptsOf lists attempts of all deliveries that the scope sees, the last begun first, with the cursors of the pages
// beside.
func (s *Store) AttemptsOf(ctx context.Context, scope models.Scope, filter models.AttemptFilter, page models.Page) ([]models.Attempt, models.Cursors, error) {
	at, err := begunPositionOf(page)
	if err != nil {
		return nil, models.Cursors{}, err
	}
	classes, none := classesOf(filter)
	if none {
		return []models.Attempt{}, models.Cursors{}, nil
	}
	omit := leftOut(filter.AttemptContents)
	q := s.db.WithContext(ctx).Model(&models.Attempt{}).Omit(omit...)
	if scope.OwnerID != "" {
		q = ofDeliveries(q.Where("owner_key = ?", models.LogKey(scope.OwnerID)), "owner_id", []string{scope.OwnerID})
	}
	q = begunBetween(ofDeliveries(ofDeliveries(q, "webhook_id", filter.WebhookIDs), "owner_id", filter.OwnerIDs), filter.Since, filter.Until)
	var attempts []models.Attempt
	q = filtered(q, []oneOf{
		is("webhook_key", logKeys(filter.WebhookIDs)), is("owner_key", logKeys(filter.OwnerIDs)), is("error_class", classes),
	}, at.onPage)
	if err := q.Omit(omit...).Find(&attempts).Error; err != nil {
		return nil, models.Cursors{}, fmt.Errorf("list attempts: %w", err)
	}
	if err := s.nameDeliveries(ctx, attempts); err != nil {
		return nil, models.Cursors{}, fmt.Errorf("list attempts: %w", err)
	}
	return cut(at.position, attempts, begunCursor, attemptsThatFit)
}

// ofDeliveries narrows attempts to those of deliveries that have one of some values in a column. The indexes have the keys
// only, which two IDs may share. As a value, rather than as a join, it is looked up row by row whatever the statistics say.
func ofDeliveries(q *gorm.DB, column string, values []string) *gorm.DB {
	if len(values) == 0 {
		return q
	}
	return q.Where("(SELECT d."+column+" FROM deliveries d WHERE d.id = attempts.delivery_id) IN ?", values)
}

func logKeys(ids []string) []string {
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = models.LogKey(id)
	}
	return keys
}

// classesOf are the error classes that the attempts of a filter may have; nil for any. A success has an empty one. none
// says that nothing can pass the filter.
func classesOf(filter models.AttemptFilter) (classes []models.ErrorClass, none bool) {
	succeeded := slices.Contains(filter.Statuses, models.AttemptSucceeded)
	failed := slices.Contains(filter.Statuses, models.AttemptFailed)
	switch {
	case len(filter.ErrorClasses) > 0:
		return filter.ErrorClasses, succeeded && !failed
	case failed && !succeeded:
		return models.ErrorClasses(), false
	case succeeded && !failed:
		return []models.ErrorClass{""}, false
	}
	return nil, false
}

// begunBetween limits attempts to those that began at or after since and before until.
func begunBetween(q *gorm.DB, since, until time.Time) *gorm.DB {
	if since = wholeMicrosecond(since); !since.IsZero() {
		q = q.Where("started_at >= ?", since)
	}
	if until = wholeMicrosecond(until); !until.IsZero() {
		q = q.Where("started_at < ?", until)
	}
	return q
}

// begunPosition is a position in the order in which attempts began, which is not that of their IDs: an ID is there
// before its attempt begins.
type begunPosition struct {
	position
	began time.Time
}

// begunCursor is what a cursor says of an attempt.
func begunCursor(attempt models.Attempt) string {
	return attempt.ID + "@" + strconv.FormatInt(attempt.StartedAt.UnixMicro(), 10)
}

func begunPositionOf(page models.Page) (begunPosition, error) {
	if page.Cursor == "" {
		at, err := positionOf(page, typeid.KindAttempt)
		return begunPosition{position: at}, err
	}
	text, err := base64.RawURLEncoding.DecodeString(page.Cursor)
	if err != nil {
		return begunPosition{}, models.ErrBadCursor
	}
	id, began, _ := strings.Cut(string(text), "@")
	micros, err := strconv.ParseInt(began, 10, 64)
	last := wholeMicrosecond(time.UnixMicro(micros))
	if err != nil || id == "" || !last.Equal(time.UnixMicro(micros)) {
		return begunPosition{}, models.ErrBadCursor
	}
	page.Cursor = cursorOf(id)
	at, err := positionOf(page, typeid.KindAttempt)
	return begunPosition{position: at, began: last}, err
}

// onPage adds order, position and size to a query, as position.onPage does.
func (at begunPosition) onPage(q *gorm.DB) *gorm.DB {
	behind, order := "(started_at, id) < (?, ?)", "started_at DESC, id DESC"
	if at.ascending() {
		behind, order = "(started_at, id) > (?, ?)", "started_at, id"
	}
	if at.id != "" {
		q = q.Where(behind, at.began, at.id)
	}
	return q.Order(order).Limit(at.Limit + 1)
}

// nameDeliveries says of attempts which webhook and which type of event they were about.
func (s *Store) nameDeliveries(ctx context.Context, attempts []models.Attempt) error {
	if len(attempts) == 0 {
		return nil
	}
	var deliveries []models.Delivery
	ids := idsOf(attempts, func(a models.Attempt) string { return a.DeliveryID })
	err := s.db.WithContext(ctx).Select("id", "webhook_id", "event").
		Where(amongSQL(s.db, "id"), map[string]any{"ids": idList(s.db, ids)}).Find(&deliveries).Error
	if err != nil {
		return err
	}
	of := make(map[string]models.Delivery, len(deliveries))
	for _, delivery := range deliveries {
		of[delivery.ID] = delivery
	}
	for i := range attempts {
		delivery := of[attempts[i].DeliveryID]
		attempts[i].WebhookID, attempts[i].Event = delivery.WebhookID, delivery.Event
	}
	return nil
}
