package models

// OwnerPurge is what one batch of PurgeOwner did.
type OwnerPurge struct {
	// Deleted counts the rows that went, by table.
	Deleted map[string]int64
	// Done says that nothing is left, the owner included.
	Done bool
}
