package models

import "fmt"

// MaxOwnerKeys is how many keys an owner has at most that are neither revoked nor expired.
const MaxOwnerKeys = 100

// QuotaError says that an owner has as much of something as it may have.
type QuotaError struct {
	// What it has too many of, such as webhooks.
	What  string
	Limit int64
}

func (e *QuotaError) Error() string {
	return fmt.Sprintf("the owner has %d %s, the most it may have", e.Limit, e.What)
}
