package store

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// matchingSQL selects the webhooks that get an event: active ones, one of whose patterns is among the event's, as the
// SQL in patterns says. owner is SQL too, for the event's owner; without it, the webhooks are those of every owner.
func matchingSQL(patterns, owner string) string {
	patternOfOwner, webhookOfOwner := "", ""
	if owner != "" {
		// A process of an older version wrote patterns without an owner. The OR keeps PostgreSQL from going through all
		// webhooks of the owner for each one that matches.
		patternOfOwner = " AND p.owner_id IN (" + owner + ", '')"
		webhookOfOwner = " AND (" + owner + " = '' OR w.owner_id = " + owner + ")"
	}
	return `
        SELECT w.id, w.owner_id, w.host, w.external_id, w.metadata, w.filter, w.ordered
        FROM (SELECT DISTINCT p.webhook_id FROM webhook_patterns p
              WHERE p.pattern ` + patterns + patternOfOwner + `) m
        JOIN webhooks w ON w.id = m.webhook_id
        WHERE ` + receivingSQL + webhookOfOwner
}

// receivingSQL says of a webhook w that it gets events.
const receivingSQL = "w.active AND NOT w.suspended AND w.deleted_at IS NULL"

// namedSQL selects those of an owner's webhooks that get an event which names them, as the SQL in ids says.
func namedSQL(ids, owner string) string {
	return `
        SELECT w.id, w.owner_id, w.host, w.external_id, w.metadata, w.filter, w.ordered FROM webhooks w
        WHERE w.id ` + ids + ` AND w.owner_id = ` + owner + ` AND ` + receivingSQL
}

func insertDeliveriesSQL(webhooks string) string {
	return `
INSERT INTO deliveries (id, event_id, webhook_id, owner_id, event, host, status, attempt_count, next_attempt_at, leased_until, test, created_at, place)
SELECT CAST(@prefix AS text) || m.digits, @event_id, m.id, m.owner_id, @event, m.host, 'pending', 0, @due, @leased_until, FALSE, @created_at,
       CASE WHEN m.ordered AND NOT @later THEN 0 END
FROM (SELECT n.id, n.owner_id, n.host, n.ordered, ` + digitsSQL + ` AS digits
      FROM (SELECT w.id, w.owner_id, w.host, w.ordered, CAST((row_number() OVER (ORDER BY w.id) + @start) & @mask AS integer) AS n
            FROM (` + webhooks + ` AND w.id <> @except AND w.filter = '') w) n) m
RETURNING id, event_id, webhook_id, owner_id, event, host, status, next_attempt_at, created_at, place`
}

// What an event goes to: its owner's webhooks, everyone's, or those that it names.
var (
	ownersWebhooksSQL = matchingSQL("IN @patterns", "@owner_id")
	allWebhooksSQL    = matchingSQL("IN @patterns", "")
	namedWebhooksSQL  = namedSQL("IN @webhook_ids", "@owner_id")

	insertOwnersDeliveriesSQL = insertDeliveriesSQL(ownersWebhooksSQL)
	insertAllDeliveriesSQL    = insertDeliveriesSQL(allWebhooksSQL)
	insertNamedDeliveriesSQL  = insertDeliveriesSQL(namedWebhooksSQL)
)

// insertDeliveriesOf is the statement for an event's deliveries.
func insertDeliveriesOf(event models.Event) string {
	switch {
	case len(event.WebhookIDs) > 0:
		return insertNamedDeliveriesSQL
	case event.OwnerID == "":
		return insertAllDeliveriesSQL
	}
	return insertOwnersDeliveriesSQL
}

// insertion says how an event is inserted.
type insertion struct {
	// except is the ID of a webhook that does not get the event, if there is one.
	except string
	// leasedUntil is until when the deliveries are left to the process that made them; nil when they are not.
	leasedUntil *time.Time
	// onlyMatched inserts no event that no webhook gets.
	onlyMatched bool
}

// insertEvent stores an event that has its ID, with a pending delivery for every webhook that matches and whose filter lets
// it pass, in the transaction.
func (s *Store) insertEvent(tx *gorm.DB, event models.Event, how insertion) (models.Published, error) {
	prefix, start := countedIDs(event)
	arguments := map[string]any{
		"prefix":       prefix,
		"event_id":     event.ID,
		"event":        event.Type,
		"created_at":   event.CreatedAt,
		"leased_until": how.leasedUntil,
		"due":          event.Due(),
		"later":        event.Due() != nil, // what is delivered later is in no queue
		"start":        start,
		"mask":         countedMask,
		"owner_id":     event.OwnerID,
		"except":       how.except,
		"patterns":     models.PatternsMatching(event.Type),
		"webhook_ids":  []string(event.WebhookIDs),
	}
	deliveries, filters, err := insertDeliveries(tx, insertDeliveriesOf(event), arguments)
	if err == nil && filters {
		var passed []models.Delivery
		passed, err = s.insertFiltered(tx, event, how, arguments)
		deliveries = append(deliveries, passed...)
	}
	if err != nil || how.onlyMatched && len(deliveries) == 0 {
		return models.Published{}, err
	}
	event.DeliveryCount = len(deliveries)
	if err := tx.Create(&event).Error; err != nil {
		return models.Published{}, err
	}
	// Behind the idempotency key, as in a batch: two that held one and waited for the other would do so for ever.
	return models.Published{Event: event, Deliveries: deliveries}, queueUp(tx, event.ID, deliveries)
}

// identify gives a new event its owner, its ID and its time.
func (s *Store) identify(event *models.Event) { identifyAt(event, s.Now()) }

func identifyAt(event *models.Event, now time.Time) {
	address(event)
	event.CreatedAt = now
	event.OccurredAt, event.DeliverAt = asStored(event.OccurredAt), asStored(event.DeliverAt)
	if event.Delay != nil {
		at := event.CreatedAt.Add(*event.Delay)
		event.DeliverAt = asStored(&at)
	}
	event.ID = typeid.New(typeid.KindEvent, event.CreatedAt)
}

// asStored is a time as it is stored, to be compared.
func asStored(at *time.Time) *time.Time {
	if at == nil {
		return nil
	}
	stored := at.UTC().Truncate(time.Microsecond)
	return &stored
}

// leasedUntil is until when the sweep leaves an event's deliveries alone; nil without a lease. What
// is delivered later has a workflow from the beginning.
func (s *Store) leasedUntil(event models.Event) *time.Time {
	if s.lease == 0 || event.Due() != nil {
		return nil
	}
	until := event.CreatedAt.Add(s.lease)
	return &until
}

// The IDs of an event's deliveries share 21 of their 26 digits; the database counts in the last five, so
// that one statement inserts a delivery for each matching webhook, however many there are. These digits are
// random bits of a UUIDv7, so the IDs stay valid ones.
const (
	countedDigits = 5
	countedBits   = 5 * countedDigits
	countedMask   = 1<<countedBits - 1
)

// digitsSQL encodes the counted digits of n.n.
var digitsSQL = func() string {
	digits := make([]string, countedDigits)
	for i := range digits {
		shift := 5 * (countedDigits - 1 - i)
		digits[i] = fmt.Sprintf("substr('%s', ((n.n >> %d) & 31) + 1, 1)", typeid.Alphabet, shift)
	}
	return strings.Join(digits, " || ")
}()

// countedIDs returns what the IDs of an event's deliveries have in common, and where the database begins to
// count in the rest.
func countedIDs(event models.Event) (prefix string, start int64) {
	id := typeid.New(typeid.KindDelivery, event.CreatedAt)
	return id[:len(id)-countedDigits], rand.Int64N(countedMask + 1) //nolint:gosec // spreads the IDs, guards nothing
}
