package models

// OwnerUsage is what an owner has that was not deleted. Paused, Failing and Disabled are parts of Webhooks, and apart.
type OwnerUsage struct {
	OwnerID                             string
	Webhooks, Paused, Failing, Disabled int64
	Sources                             int64
}
