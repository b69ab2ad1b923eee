package store

import (
	"context"

	"github.com/postrider/postrider/models"
)

// payloads loads a column of the rows with the given IDs, in their order, as far as MaxPageBytes reach and one at
// least. What does not fit is not loaded either: the sizes are asked for first.
func (s *Store) payloads(ctx context.Context, entity any, column string, ids []string) ([][]byte, error) {
	var sizes []struct {
		ID   string
		Size int
	}
	err := s.db.WithContext(ctx).Model(entity).Select("id, length("+column+") AS size").Where("id IN ?", ids).Scan(&sizes).Error
	if err != nil {
		return nil, err
	}
	size := make(map[string]int, len(sizes))
	for _, row := range sizes {
		size[row.ID] = row.Size
	}
	fit, sum := 0, 0
	for _, id := range ids {
		if sum += size[id]; sum > models.MaxPageBytes && fit > 0 {
			break
		}
		fit++
	}
	var rows []struct {
		ID      string
		Payload []byte
	}
	err = s.db.WithContext(ctx).Model(entity).Select("id, "+column+" AS payload").Where("id IN ?", ids[:fit]).Scan(&rows).Error
	if err != nil {
		return nil, err
	}
	of := make(map[string][]byte, len(rows))
	for _, row := range rows {
		of[row.ID] = row.Payload
	}
	payloads := make([][]byte, fit)
	for i, id := range ids[:fit] {
		payloads[i] = of[id] // nil for a row that was purged meanwhile
	}
	return payloads, nil
}

// idsOf lists the IDs of rows.
func idsOf[T any](rows []T, id func(T) string) []string {
	ids := make([]string, len(rows))
	for i, row := range rows {
		ids[i] = id(row)
	}
	return ids
}
