package store

import (
	"errors"

	"gorm.io/gorm"

	"github.com/postrider/postrider/models"
)

// filteredAtOnce bounds the missed events at which a step looks whose data a filter has to see.
const filteredAtOnce = 1000

// passing returns those of some missed events that the webhook's filter lets pass, as it is now, and of each for which it
// failed why. It reads their data one by one: together they may be large.
func (s *Store) passing(tx *gorm.DB, webhook models.Webhook, ids []string) (passing []string, faults map[string]string, err error) {
	if webhook.Filter == "" || len(ids) == 0 {
		return ids, nil, nil
	}
	rows, err := tx.Model(&models.Event{}).Where(amongSQL(tx, "id"), map[string]any{"ids": idList(tx, ids)}).Order("id").Rows()
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	faults = map[string]string{}
	for rows.Next() {
		var event models.Event
		if err := tx.ScanRows(rows, &event); err != nil {
			return nil, nil, err
		}
		verdicts, err := s.rules.Filter(tx.Statement.Context, event, []models.Webhook{webhook})
		if err != nil {
			return nil, nil, err
		}
		if verdicts[0].Passes {
			passing = append(passing, event.ID)
		}
		if verdicts[0].Fault != "" {
			faults[event.ID] = shortFault(verdicts[0].Fault)
		}
	}
	return passing, faults, rows.Err()
}
