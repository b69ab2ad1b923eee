package models

import "time"

// Rejection is a request to a source that was refused. Its body is not kept: nobody vouches for it.
type Rejection struct {
	ID         string `gorm:"primaryKey"`
	SourceID   string
	Reason     string
	RemoteAddr string
	CreatedAt  time.Time
}
