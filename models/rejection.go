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

// TableName is the table of rejections.
func (Rejection) TableName() string { return "source_rejections" }

// Rejected are requests to one source that were refused.
type Rejected struct {
	// Count is how many they were.
	Count int64
	// Last are the last of them, oldest first.
	Last []Rejection
}
