package contract

// OwnerDeletion is how far the removal of a deleted owner is.
type OwnerDeletion struct {
	OwnerID string `json:"owner_id"`
	// Cancelled counts the deliveries and recoveries that were cancelled, After is the last delivery of them.
	Cancelled int64  `json:"cancelled,omitempty"`
	After     string `json:"after,omitempty"`
	// Stopped says that nothing of it is under way any more, Settled that what was has had time to end.
	Stopped bool `json:"stopped,omitempty"`
	Settled bool `json:"settled,omitempty"`
	// Deleted counts the rows that are gone, by table.
	Deleted map[string]int64 `json:"deleted,omitempty"`
	// Done says that nothing is left.
	Done bool `json:"done,omitempty"`
}
