package store

import (
	"time"

	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// counted are the tallies of some time by subject and type of event; see models.Statistics.
type counted map[subjectEvent]*models.Tally

type subjectEvent struct{ subject, event string }

// of returns the tallies that count what happens to a subject with an event of a type: of the type, and of all types.
func (c counted) of(subject, event string) [2]*models.Tally {
	var tallies [2]*models.Tally
	for i, key := range []subjectEvent{{subject, event}, {subject, ""}} {
		if c[key] == nil {
			c[key] = &models.Tally{}
		}
		tallies[i] = c[key]
	}
	return tallies
}

// counting counts what the log has of some time. A filter narrows what is read; of what it leaves out, nothing is right.
type counting struct {
	tx       *gorm.DB
	from, to time.Time
	filter   models.StatisticsFilter
	tallies  counted
}

// count counts what the log has from a time up to another.
func count(tx *gorm.DB, from, to time.Time, filter models.StatisticsFilter) (counted, error) {
	c := counting{tx: tx, from: from.UTC(), to: to.UTC(), filter: filter, tallies: counted{}}
	for _, step := range []func() error{c.events, c.deliveries, c.broadcasts, c.attempts} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return c.tallies, nil
}

// made limits a query to rows with IDs of the kind from the time: the hours that are counted begin with a millisecond.
func (c counting) made(q *gorm.DB, kind typeid.Kind, id string) *gorm.DB {
	return q.Where(id+" >= ? AND "+id+" < ?", typeid.First(kind, c.from), typeid.First(kind, c.to))
}

// published is a row of how many events of a type a subject was given.
type published struct {
	WebhookID, OwnerID, Event string
	Test                      bool
	N                         int64
}

// events counts events as published by their owners.
func (c counting) events() error {
	if len(c.filter.WebhookIDs) > 0 {
		return nil // a webhook's are counted by its deliveries
	}
	q := c.made(c.tx.Model(&models.Event{}).Select("owner_id, event, count(*) AS n"), typeid.KindEvent, "id")
	for _, filter := range []oneOf{is("event", c.filter.Events), is("owner_id", c.filter.OwnerIDs)} {
		q = filter.on(q)
	}
	var rows []published
	err := q.Group("owner_id, event").Scan(&rows).Error
	for _, row := range rows {
		c.publish("", row.Event, row.N)
		if row.OwnerID != "" {
			c.publish(row.OwnerID, row.Event, row.N)
		}
	}
	return err
}

func (c counting) publish(subject, event string, n int64) {
	for _, tally := range c.tallies.of(subject, event) {
		tally.Published += n
	}
}

// deliveries counts for each webhook the events that went to it. A test has an event of its own, which was not published.
func (c counting) deliveries() error {
	q := c.made(c.tx.Model(&models.Delivery{}).Select("webhook_id, owner_id, event, test, count(*) AS n"), typeid.KindDelivery, "id")
	for _, filter := range []oneOf{
		is("webhook_id", c.filter.WebhookIDs), is("event", c.filter.Events), is("owner_id", c.filter.OwnerIDs),
	} {
		q = filter.on(q)
	}
	var rows []published
	err := q.Group("webhook_id, owner_id, event, test").Scan(&rows).Error
	for _, row := range rows {
		if row.Test {
			c.publish("", row.Event, -row.N)
			c.publish(row.OwnerID, row.Event, -row.N)
		} else {
			c.publish(row.WebhookID, row.Event, row.N)
		}
	}
	return err
}

// broadcasts counts for each owner the events that were published to all and went to one of the owner's webhooks.
func (c counting) broadcasts() error {
	if len(c.filter.WebhookIDs) > 0 {
		return nil
	}
	q := c.tx.Table("events e").Select("d.owner_id, e.event, count(DISTINCT d.event_id) AS n").
		Joins("JOIN deliveries d ON d.event_id = e.id").Where("e.owner_id = '' AND NOT d.test")
	q = c.made(q, typeid.KindEvent, "e.id")
	for _, filter := range []oneOf{is("e.event", c.filter.Events), is("d.owner_id", c.filter.OwnerIDs)} {
		q = filter.on(q)
	}
	var rows []published
	err := q.Group("d.owner_id, e.event").Scan(&rows).Error
	for _, row := range rows {
		c.publish(row.OwnerID, row.Event, row.N)
	}
	return err
}

// attemptFacts is what is counted of an attempt.
type attemptFacts struct {
	WebhookID, OwnerID, Event string
	Failed, GaveUp, Again     bool
	DurationMS                int64
	StartedAt, CreatedAt      time.Time
}

// attempts counts attempts by when they began. A success after another one of its delivery, because someone resent it,
// is again.
func (c counting) attempts() error {
	q := c.tx.Table("attempts").Select(`d.webhook_id, d.owner_id, d.event, attempts.error_class <> '' AS failed, attempts.gave_up IS TRUE AS gave_up,
		CASE WHEN attempts.number > 1 THEN EXISTS (SELECT 1 FROM attempts b WHERE b.delivery_id = attempts.delivery_id
			AND b.number < attempts.number AND b.error_class = '') ELSE FALSE END AS again,
		attempts.duration_ms, attempts.started_at, d.created_at`).
		Joins("JOIN deliveries d ON d.id = attempts.delivery_id").
		Where("attempts.started_at >= ? AND attempts.started_at < ? AND NOT d.test", c.from, c.to)
	for _, filter := range []oneOf{
		is("attempts.webhook_key", logKeys(c.filter.WebhookIDs)), is("attempts.owner_key", logKeys(c.filter.OwnerIDs)),
		is("d.webhook_id", c.filter.WebhookIDs), is("d.owner_id", c.filter.OwnerIDs), is("d.event", c.filter.Events),
	} {
		q = filter.on(q)
	}
	rows, err := q.Rows()
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // its error is that of Err
	for rows.Next() {
		var facts attemptFacts
		if err := rows.Scan(&facts.WebhookID, &facts.OwnerID, &facts.Event, &facts.Failed, &facts.GaveUp, &facts.Again,
			&facts.DurationMS, &facts.StartedAt, &facts.CreatedAt); err != nil {
			return err
		}
		for _, subject := range []string{"", facts.OwnerID, facts.WebhookID} {
			for _, tally := range c.tallies.of(subject, facts.Event) {
				facts.countInto(tally)
			}
		}
	}
	return rows.Err()
}

func (f attemptFacts) countInto(tally *models.Tally) {
	took := time.Duration(f.DurationMS) * time.Millisecond
	tally.Attempts++
	tally.Duration.Count(took)
	switch {
	case f.Failed:
		tally.Failed++
	case !f.Again:
		tally.Delivered++
		tally.Latency.Count(f.StartedAt.Add(took).Sub(f.CreatedAt))
	}
	if f.GaveUp {
		tally.GivenUp++
	}
}
