package models

import "time"

// DatabaseFacts are what an operator wants to know of the database.
type DatabaseFacts struct {
	// Kind is postgres or sqlite, Version its own, Schema that of the migrations.
	Kind, Version string
	Schema        int64
	Bytes         int64
	// Open and InUse count this process's connections, MostOpen bounds them, and Waited counts how often one had to be waited for.
	Open, InUse, MostOpen int
	Waited                int64
	// Sessions counts who is signed in to the console, as far as SessionsBound.
	Sessions int64
	// CountedUntil is until when the hours of the statistics are counted; nil before the first.
	CountedUntil *time.Time
}

// SessionsBound is how many sessions are counted.
const SessionsBound = 1000
