package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// storeInboundSQL stores nothing when the source has sent the same body under the same ID before.
const storeInboundSQL = `
INSERT INTO inbound_events (id, source_id, owner_id, provider_id, body_hash, type, headers, body, status, attempts, created_at, conflict)
VALUES (@ID, @SourceID, @OwnerID, @ProviderID, @BodyHash, @Type, @Headers, @Body, @Status, 0, @CreatedAt,
        EXISTS (SELECT 1 FROM inbound_events WHERE source_id = @SourceID AND provider_id = @ProviderID))
ON CONFLICT (source_id, provider_id, body_hash) DO NOTHING
RETURNING conflict`

// StoreInbound stores an inbound event once and says whether it is to be processed. It sets the ID, the time, and the
// hash of the body unless there is one.
//
// An event with the ID and the body of a stored one is a copy: it gets that one's ID, status and time, and is processed
// again if that one failed. The same ID with another body is another event, marked as a conflict: otherwise a signed
// request that is replayed under a new ID, or a second sender with the same IDs, could hide the real event.
func (s *Store) StoreInbound(ctx context.Context, inbound *models.InboundEvent) (bool, error) {
	var waits bool
	var err error
	store := func(db *gorm.DB) error {
		waits, err = s.storeInbound(db, inbound)
		return err
	}
	db := s.db.WithContext(ctx)
	if db.Name() == "sqlite" {
		err = db.Transaction(store) // there is one writer at a time: one transaction for all statements
	} else {
		err = store(db) // the first statement alone is enough nearly always
	}
	if err != nil {
		return false, fmt.Errorf("store inbound event: %w", err)
	}
	return waits, nil
}

func (s *Store) storeInbound(db *gorm.DB, inbound *models.InboundEvent) (bool, error) {
	if inbound.BodyHash == "" {
		inbound.BodyHash = hashOf(inbound.Body)
	}
	inbound.CreatedAt = s.Now()
	inbound.ID = typeid.New(typeid.KindInbound, inbound.CreatedAt)
	inbound.Status = models.InboundPending
	var stored []bool
	if err := db.Raw(storeInboundSQL, inbound).Find(&stored).Error; err != nil {
		return false, err
	}
	switch {
	case len(stored) == 0:
		return receivedAgain(db, inbound)
	case !stored[0]:
		return true, settleRace(db, inbound)
	}
	inbound.Conflict = true
	known, err := knownWithoutHash(db, inbound)
	if err != nil || known {
		return false, err
	}
	return true, db.Model(&models.Source{}).Where("id = ?", inbound.SourceID).Update("conflicts", gorm.Expr("conflicts + 1")).Error
}

// receivedAgain turns a copy into the event that is stored. One that failed is processed again: what was wrong may be fixed
// by now.
func receivedAgain(db *gorm.DB, inbound *models.InboundEvent) (bool, error) {
	var stored models.InboundEvent
	err := db.Select("id", "status", "conflict", "created_at").
		Where("source_id = ? AND provider_id = ? AND body_hash = ?", inbound.SourceID, inbound.ProviderID, inbound.BodyHash).
		Take(&stored).Error
	if err != nil {
		return false, oneRow(err)
	}
	inbound.ID, inbound.Status, inbound.Conflict, inbound.CreatedAt = stored.ID, stored.Status, stored.Conflict, stored.CreatedAt
	if stored.Status != models.InboundFailed {
		return false, nil
	}
	waits := false
	err = db.Transaction(func(tx *gorm.DB) (err error) {
		waits, err = processAgain(tx, stored.ID, models.InboundFailed)
		return err
	})
	inbound.Status = models.InboundPending
	return waits, err
}

// settleRace finds what was stored under the same ID at the same moment, which neither saw when it was written. All but
// the first are conflicts. There are few: whatever came later was marked when it was written.
func settleRace(db *gorm.DB, inbound *models.InboundEvent) error {
	var others []string
	err := db.Model(&models.InboundEvent{}).
		Where("source_id = ? AND provider_id = ? AND body_hash <> ?", inbound.SourceID, inbound.ProviderID, inbound.BodyHash).
		Limit(1).Pluck("id", &others).Error
	if err != nil || len(others) == 0 {
		return err
	}
	return db.Transaction(func(tx *gorm.DB) error {
		// Requests that find each other do this one after another.
		if err := forUpdate(tx).Select("id").Where("id = ?", inbound.SourceID).Take(&models.Source{}).Error; err != nil {
			return oneRow(err)
		}
		var same []string
		err := tx.Model(&models.InboundEvent{}).
			Where("source_id = ? AND provider_id = ? AND NOT conflict", inbound.SourceID, inbound.ProviderID).
			Order("id").Pluck("id", &same).Error
		if err != nil || len(same) < 2 {
			return err
		}
		if err := tx.Model(&models.InboundEvent{}).Where("id IN ?", same[1:]).Update("conflict", true).Error; err != nil {
			return err
		}
		return tx.Model(&models.Source{}).Where("id = ?", inbound.SourceID).
			Update("conflicts", gorm.Expr("conflicts + ?", len(same)-1)).Error
	})
}

// knownWithoutHash says whether an event that was just stored is a copy of one from before bodies were hashed, which
// has the same ID. The older one remains.
func knownWithoutHash(db *gorm.DB, inbound *models.InboundEvent) (known bool, err error) {
	err = db.Transaction(func(tx *gorm.DB) error {
		var old models.InboundEvent
		err := forUpdate(tx).Where("source_id = ? AND provider_id = ? AND body_hash = ''", inbound.SourceID, inbound.ProviderID).
			Take(&old).Error
		if errors.Is(err, gorm.ErrRecordNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if known = bytes.Equal(old.Body, inbound.Body); known {
			if err := tx.Where("id = ?", inbound.ID).Delete(&models.InboundEvent{}).Error; err != nil {
				return err
			}
		}
		hash := inbound.BodyHash
		if !known {
			hash = hashOf(old.Body)
		}
		return tx.Model(&models.InboundEvent{}).Where("id = ?", old.ID).Update("body_hash", hash).Error
	})
	return known, err
}

func hashOf(body []byte) string {
	sum := sha256.Sum256(body)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// processAgain makes an inbound event pending, if it is of the status and not erased, and counts it out of its source's failures.
func processAgain(tx *gorm.DB, id string, status models.InboundStatus) (bool, error) {
	result := tx.Model(&models.InboundEvent{}).Where("id = ? AND status = ? AND erased_at IS NULL", id, status).
		Updates(map[string]any{"status": models.InboundPending, "error": ""})
	if result.Error != nil || result.RowsAffected == 0 || status != models.InboundFailed {
		return result.RowsAffected > 0, result.Error
	}
	return true, countFailed(tx, id, -1)
}

// countFailed adds to the failures of an inbound event's source.
func countFailed(tx *gorm.DB, inboundID string, n int) error {
	return tx.Model(&models.Source{}).Where("id = (SELECT source_id FROM inbound_events WHERE id = ?)", inboundID).
		Update("failed", gorm.Expr("failed + ?", n)).Error
}
