package store

import (
	"strings"

	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// filtersSQL says that webhooks which may match have filters. Where nobody has one, its index is empty.
const filtersSQL = "EXISTS (SELECT 1 FROM webhooks f WHERE f.filter <> '' AND (@owner_id = '' OR f.owner_id = @owner_id))"

// insertDeliveries inserts the deliveries to webhooks without a filter, and says whether others may have one. On PostgreSQL
// that is one statement.
func insertDeliveries(tx *gorm.DB, statement string, arguments map[string]any) (deliveries []models.Delivery, filters bool, err error) {
	if tx.Name() != "postgres" {
		if err := tx.Raw(statement, arguments).Find(&deliveries).Error; err != nil {
			return nil, false, err
		}
		return deliveries, filters, tx.Raw("SELECT "+filtersSQL, arguments).Find(&filters).Error
	}
	var rows []struct {
		models.Delivery

		Filters bool
	}
	err = tx.Raw("WITH made AS ("+statement+") SELECT f.filters, made.* FROM (SELECT "+filtersSQL+" AS filters) f LEFT JOIN made ON TRUE", arguments).
		Scan(&rows).Error
	for _, row := range rows {
		filters = row.Filters
		if row.ID != "" {
			deliveries = append(deliveries, row.Delivery)
		}
	}
	return deliveries, filters, err
}

// filteredOf is the statement for those of an event's webhooks that have filters.
func filteredOf(event models.Event) string {
	webhooks := ownersWebhooksSQL
	switch {
	case len(event.WebhookIDs) > 0:
		webhooks = namedWebhooksSQL
	case event.OwnerID == "":
		webhooks = allWebhooksSQL
	}
	return "SELECT id, owner_id, host, external_id, metadata, filter, ordered FROM (" + webhooks + " AND w.id <> @except AND w.filter <> '') w ORDER BY id"
}

// insertFiltered inserts the deliveries of an event to webhooks whose filters let it pass. The arguments are those of
// insertDeliveries.
func (s *Store) insertFiltered(tx *gorm.DB, event models.Event, how insertion, arguments map[string]any) ([]models.Delivery, error) {
	var webhooks []models.Webhook
	err := tx.Raw(filteredOf(event), arguments).Find(&webhooks).Error
	if err != nil || len(webhooks) == 0 {
		return nil, err
	}
	verdicts, err := s.rules.Filter(tx.Statement.Context, event, webhooks)
	if err != nil {
		return nil, err
	}
	var passed []models.Delivery
	for i, webhook := range webhooks {
		if !verdicts[i].Passes {
			continue
		}
		var place *int64
		if webhook.Ordered && event.Due() == nil {
			place = new(int64) // see queueUp
		}
		passed = append(passed, models.Delivery{
			ID: typeid.New(typeid.KindDelivery, event.CreatedAt), EventID: event.ID, WebhookID: webhook.ID, OwnerID: webhook.OwnerID,
			Event: event.Type, Host: webhook.Host, Status: models.StatusPending, NextAttemptAt: event.Due(),
			LeasedUntil: how.leasedUntil, Place: place,
			FilterError: shortFault(verdicts[i].Fault), CreatedAt: event.CreatedAt,
		})
	}
	if len(passed) == 0 {
		return nil, nil
	}
	const atOnce = 100 // a statement has a bound of parameters
	return passed, tx.CreateInBatches(passed, atOnce).Error
}

// maxFault bounds what a delivery says of its filter, in bytes.
const maxFault = 500

func shortFault(fault string) string {
	if len(fault) <= maxFault {
		return fault
	}
	return strings.ToValidUTF8(fault[:maxFault], "") + "…"
}
