package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/keyring"
)

// EncryptionRotation is what RotateEncryption did.
type EncryptionRotation struct {
	// Webhooks and Sources count the secrets that were sealed anew: a webhook has two or more once its secret was
	// rotated, and one for all other credentials; a source has one list, and perhaps a verify token. Headers counts the webhooks whose headers were.
	Webhooks, Headers, Sources int
	// Answers counts what is kept of calls with an Idempotency-Key.
	Answers int
	// Left counts the secrets that another key seals still: those that no key on the ring opens, and those
	// that a process sealed meanwhile whose first key is another one.
	Left int
	// Unreadable are the IDs of rows with a secret that no key on the ring opens.
	Unreadable []string
}

// sealedColumn is where secrets are kept.
type sealedColumn struct {
	table, name string
	count       func(*EncryptionRotation) *int
}

// sealedColumns are processed in this order, because RotateSecret moves a webhook's secret from one of the first three to
// the next.
var sealedColumns = []sealedColumn{
	{"webhooks", "secret", func(r *EncryptionRotation) *int { return &r.Webhooks }},
	{"webhooks", "previous_secret", func(r *EncryptionRotation) *int { return &r.Webhooks }},
	{"webhooks", "earlier_secrets", func(r *EncryptionRotation) *int { return &r.Webhooks }},
	{"webhooks", "credentials", func(r *EncryptionRotation) *int { return &r.Webhooks }},
	{"webhooks", "sealed_headers", func(r *EncryptionRotation) *int { return &r.Headers }},
	{"sources", "secrets", func(r *EncryptionRotation) *int { return &r.Sources }},
	{"sources", "verify_token", func(r *EncryptionRotation) *int { return &r.Sources }},
	{"idempotent_calls", "sealed", func(r *EncryptionRotation) *int { return &r.Answers }},
}

// sealedRow is one secret of a row.
type sealedRow struct {
	ID     string
	Sealed []byte
}

// RotateEncryption seals every secret under the keyring's first key that another key sealed. Nothing needs to stop
// meanwhile: a secret that changes at the same moment stays as the other one wrote it. It can be stopped
// at any time and started again, and continues where it stopped.
func (s *Store) RotateEncryption(ctx context.Context) (EncryptionRotation, error) {
	var result EncryptionRotation
	var err error
	if result.Headers, err = s.sealEach(ctx, clearHeaders, s.sealHeadersOf); err != nil {
		return result, fmt.Errorf("seal headers: %w", err)
	}
	if _, err := s.sealEach(ctx, clearVerifyTokens, s.sealVerifyTokenOf); err != nil {
		return result, fmt.Errorf("seal verify tokens: %w", err)
	}
	for _, column := range sealedColumns {
		if err := s.rotateColumn(ctx, column, &result); err != nil {
			return result, fmt.Errorf("seal secrets anew: %w", err)
		}
	}
	for _, column := range sealedColumns {
		var left int64
		if err := s.sealedByOthers(ctx, column).Count(&left).Error; err != nil {
			return result, fmt.Errorf("count what is left: %w", err)
		}
		result.Left += int(left)
	}
	return result, nil
}

// sealedByOthers are the rows whose secret is not under the ring's first key. Deleted rows have an empty
// secret, or none.
func (s *Store) sealedByOthers(ctx context.Context, column sealedColumn) *gorm.DB {
	return s.db.WithContext(ctx).Table(column.table).
		Where("length("+column.name+") > 0 AND substr("+column.name+", 1, ?) <> ?", keyring.PrefixBytes, s.keyring.Prefix())
}

// rotateColumn goes once over a column.
func (s *Store) rotateColumn(ctx context.Context, column sealedColumn, result *EncryptionRotation) error {
	after := ""
	for {
		var rows []sealedRow
		err := s.sealedByOthers(ctx, column).Select("id, "+column.name+" AS sealed").Where("id > ?", after).
			Order("id").Limit(sealBatch).Scan(&rows).Error
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, row := range rows {
			done, err := s.rotateRow(ctx, column, row)
			switch {
			case errors.Is(err, keyring.ErrDecrypt):
				if !slices.Contains(result.Unreadable, row.ID) {
					result.Unreadable = append(result.Unreadable, row.ID)
				}
			case err != nil:
				return err
			case done:
				*column.count(result)++
			}
		}
		after = rows[len(rows)-1].ID
	}
}

// rotateRow seals one secret anew, unless it is not what was read any more.
func (s *Store) rotateRow(ctx context.Context, column sealedColumn, row sealedRow) (done bool, err error) {
	secret, err := s.keyring.Open(row.Sealed, row.ID)
	if err != nil {
		return false, err
	}
	result := s.db.WithContext(ctx).Table(column.table).Where("id = ? AND "+column.name+" = ?", row.ID, row.Sealed).
		Update(column.name, s.keyring.Seal(secret, row.ID))
	return result.RowsAffected == 1, result.Error
}
