package store

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// txKey is where a context has the transaction of the call that it belongs to.
type txKey struct{}

// on returns the database for what a call does: the call's own transaction, if it has one. What a call writes or reads that
// is answered in one commit goes through it: another connection would wait for the transaction.
func (s *Store) on(ctx context.Context) *gorm.DB {
	if tx, ok := ctx.Value(txKey{}).(*gorm.DB); ok {
		return tx.WithContext(ctx)
	}
	return s.db.WithContext(ctx)
}

// sealedCall is what is sealed of a call.
type sealedCall struct {
	Request []byte         `json:"request"`
	Answer  *models.Answer `json:"answer,omitempty"`
}

// errNotKept undoes the transaction of a call that failed.
var errNotKept = errors.New("the answer is not kept")

// AnswerInOneCommit answers a call once: what the function does with its context, and its answer, are committed together, if
// the function says that the answer is to be kept; otherwise nothing is. A call that was answered before has that answer.
// Of two that come at the same time, the second waits for the first. Another request with the same key is
// ErrCallConflict.
func (s *Store) AnswerInOneCommit(ctx context.Context, call models.IdempotentCall, run func(context.Context) (answer models.Answer, keep bool)) (answer models.Answer, before bool, err error) {
	err = s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		known, err := s.claimCall(tx, &call)
		if err != nil {
			return err
		}
		if known != nil {
			answer, before = *known, true
			return nil
		}
		var keep bool
		if answer, keep = run(context.WithValue(ctx, txKey{}, tx)); !keep {
			return errNotKept
		}
		return s.writeAnswer(tx, call, answer)
	})
	if err != nil && !errors.Is(err, errNotKept) {
		return models.Answer{}, false, fmt.Errorf("answer once: %w", err)
	}
	return answer, before, nil
}

// BeginCall claims a call that cannot be made in one transaction, up to a time, or returns its answer if it was answered
// before. One that is under way is ErrCallUnderWay. A call whose process died is free when its time is
// over.
func (s *Store) BeginCall(ctx context.Context, call *models.IdempotentCall, until time.Time) (answer *models.Answer, err error) {
	until = until.UTC().Truncate(time.Microsecond)
	call.LeasedUntil = &until
	err = s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) (err error) {
		answer, err = s.claimCall(tx, call)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("begin call: %w", err)
	}
	return answer, nil
}

// EndCall keeps the answer of a call that was begun, or, without one, forgets the call: it may be made again.
func (s *Store) EndCall(ctx context.Context, call models.IdempotentCall, answer *models.Answer) error {
	db, err := s.db.WithContext(ctx), error(nil)
	if answer == nil {
		err = db.Where("id = ?", call.ID).Delete(&models.IdempotentCall{}).Error
	} else {
		err = s.writeAnswer(db, call, *answer)
	}
	if err != nil {
		return fmt.Errorf("end call: %w", err)
	}
	return nil
}

// claimCall inserts the row of a call, which may have been there before: then it returns the answer.
func (s *Store) claimCall(tx *gorm.DB, call *models.IdempotentCall) (*models.Answer, error) {
	now := s.Now()
	for {
		call.ID, call.CreatedAt = typeid.New(typeid.KindCall, now), now
		if err := s.sealCall(call, nil); err != nil {
			return nil, err
		}
		// PostgreSQL waits here for a transaction that has inserted the same.
		result := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(call)
		if result.Error != nil || result.RowsAffected == 1 {
			return nil, result.Error
		}
		var before models.IdempotentCall
		err := forUpdate(tx).Where("owner_id = ? AND operation = ? AND idempotency_key = ?", call.OwnerID, call.Operation, call.IdempotencyKey).
			Take(&before).Error
		if errors.Is(err, gorm.ErrRecordNotFound) {
			continue // it was removed meanwhile
		}
		if err != nil {
			return nil, err
		}
		answer, err := s.answerOf(before, *call, now)
		if err != nil || answer != nil {
			return answer, err
		}
		if err := tx.Where("id = ?", before.ID).Delete(&models.IdempotentCall{}).Error; err != nil {
			return nil, err
		}
	}
}

// answerOf returns what a call was answered; nil when the row is of the past: it is too old, or its process died.
func (s *Store) answerOf(before, call models.IdempotentCall, now time.Time) (*models.Answer, error) {
	if now.Sub(before.CreatedAt) >= models.IdempotencyWindow {
		return nil, nil //nolint:nilnil // there is no answer any more
	}
	text, err := s.keyring.Open(before.Sealed, before.ID)
	if err != nil {
		return nil, fmt.Errorf("call %s: %w", before.ID, err)
	}
	var sealed sealedCall
	if err := json.Unmarshal([]byte(text), &sealed); err != nil {
		return nil, fmt.Errorf("call %s cannot be read", before.ID) // the text must not get into a log
	}
	switch {
	case subtle.ConstantTimeCompare(sealed.Request, call.RequestHash) == 0:
		return nil, models.ErrCallConflict
	case before.LeasedUntil != nil && now.Before(*before.LeasedUntil):
		return nil, models.ErrCallUnderWay
	}
	return sealed.Answer, nil
}

func (s *Store) sealCall(call *models.IdempotentCall, answer *models.Answer) error {
	text, err := json.Marshal(sealedCall{call.RequestHash, answer})
	if err != nil {
		return err
	}
	call.Sealed = s.keyring.Seal(string(text), call.ID)
	return nil
}

// writeAnswer writes the answer of a call into its row, if the row is there.
func (s *Store) writeAnswer(tx *gorm.DB, call models.IdempotentCall, answer models.Answer) error {
	if err := s.sealCall(&call, &answer); err != nil {
		return err
	}
	return tx.Model(&models.IdempotentCall{}).Where("id = ?", call.ID).
		Updates(map[string]any{"sealed": call.Sealed, "leased_until": nil}).Error
}
