package store

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// Attempts returns a delivery's attempts in their order.
func (s *Store) Attempts(ctx context.Context, deliveryID string) ([]models.Attempt, error) {
	var attempts []models.Attempt
	err := s.db.WithContext(ctx).Where("delivery_id = ?", deliveryID).Order("number, id").Find(&attempts).Error
	if err != nil {
		return nil, fmt.Errorf("list attempts: %w", err)
	}
	return attempts, nil
}

// AttemptsPage lists a delivery's attempts, the last first, with the cursors of the pages beside.
func (s *Store) AttemptsPage(ctx context.Context, filter models.AttemptFilter, page models.Page) ([]models.Attempt, models.Cursors, error) {
	at, err := positionOf(page, typeid.KindAttempt)
	if err != nil {
		return nil, models.Cursors{}, err
	}
	q := s.db.WithContext(ctx).Omit(leftOut(filter.AttemptContents)...).Where("delivery_id = ?", filter.DeliveryID)
	direction, behind := "DESC", "<"
	if at.ascending() {
		direction, behind = "", ">"
	}
	if at.id != "" {
		last, err := s.attemptAt(ctx, filter.DeliveryID, at.id)
		if err != nil {
			return nil, models.Cursors{}, fmt.Errorf("list attempts: %w", err)
		}
		q = q.Where("(number, id) "+behind+" (?, ?)", last.Number, last.ID)
	}
	// By number, as the index has them.
	q = q.Order("number " + direction + ", id " + direction).Limit(at.Limit + 1)
	var attempts []models.Attempt
	if err := q.Find(&attempts).Error; err != nil {
		return nil, models.Cursors{}, fmt.Errorf("list attempts: %w", err)
	}
	return cut(at, attempts, func(a models.Attempt) string { return a.ID }, attemptsThatFit)
}

// attemptAt finds the attempt that a cursor stands for.
func (s *Store) attemptAt(ctx context.Context, deliveryID, id string) (models.Attempt, error) {
	var attempt models.Attempt
	err := s.db.WithContext(ctx).Select("id", "number").Where("id = ? AND delivery_id = ?", id, deliveryID).Take(&attempt).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return models.Attempt{}, models.ErrBadCursor
	}
	return attempt, err
}

// leftOut are the columns that are not loaded.
func leftOut(contents models.AttemptContents) (columns []string) {
	for column, asked := range map[string]bool{
		"response_body": contents.ResponseBody, "request_headers": contents.RequestHeaders, "response_headers": contents.ResponseHeaders,
	} {
		if !asked {
			columns = append(columns, column)
		}
	}
	return columns
}

// unpacked is how much larger headers are at most when they are shown than in the log.
const unpacked = 4

// attemptsThatFit says how many of the attempts reach MaxPageBytes, and one at least. Those of a page are few and bounded,
// so that all of them are read.
func attemptsThatFit(attempts []models.Attempt) (int, error) {
	sum := 0
	for i, attempt := range attempts {
		sum += len(attempt.ResponseBody) + unpacked*(len(attempt.RequestHeaders)+len(attempt.ResponseHeaders))
		if sum > models.MaxPageBytes && i > 0 {
			return i, nil
		}
	}
	return len(attempts), nil
}
