package models

import "time"

// Overview is what happened in some hours.
type Overview struct {
	// Hours have what happened in each; hours without anything are missing.
	Hours map[time.Time]*Tally
	// Worst are the webhooks of which most attempts failed, the worst first.
	Worst []WebhookTally
}

// WebhookTally is what happened to a webhook.
type WebhookTally struct {
	Webhook
	Tally
}

// Backlog is what has not ended, counted as far as BacklogBound.
type Backlog struct {
	// Due wait for their first attempt or are at it, Later are to be delivered at a later time, Queued stand in the queue of an
	// ordered webhook, and Retrying wait for another attempt.
	Due, Later, Queued, Retrying int64
	// MorePending says that there are more of the first three than were counted, MoreRetrying that there are more of the last.
	MorePending, MoreRetrying bool
	// Oldest of those that are due; nil without any.
	Oldest *Delivery
}

// BacklogBound is how many deliveries that wait are counted: the oldest.
const BacklogBound = 10_000

// Unmatched are events that no webhook was to get.
type Unmatched struct {
	// Looked says how many events were looked at, the newest: at most UnmatchedBound.
	Looked int64
	Types  []UnmatchedType
}

// UnmatchedBound is how many events are looked at for those that match nobody.
const UnmatchedBound = 2_000

// UnmatchedType counts the events of a type that matched nobody.
type UnmatchedType struct {
	Type   string `gorm:"column:event"`
	Count  int64
	LastID string
	LastAt time.Time `gorm:"-"`
}
