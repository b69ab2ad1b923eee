package models

// Change says that something is new, or is not as it was.
type Change struct {
	// Key is the same each time that the change is found.
	Key string
	// OwnerID is whose thing it is; empty for the installation's.
	OwnerID string
	// About has the IDs of what has changed, and the names of the tables whose lists have.
	About []string
}
