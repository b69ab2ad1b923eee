package models

// MaxBatch is how many events are published at once at most.
const MaxBatch = 1000

// BatchOutcome answers one event of a batch.
type BatchOutcome struct {
	Published Published
	// Err says why the event is not published, though others of its batch are.
	Err error
}
