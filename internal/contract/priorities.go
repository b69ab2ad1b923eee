package contract

// Temporal's priorities: of an attempt that someone waits for, and of deliveries that a recovery starts by the
// thousand. That of all others is 3.
const (
	PriorityAsked     = 2
	PriorityRecovered = 4
)
