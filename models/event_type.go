package models

import (
	"errors"
	"time"
)

// EventType is an entry of the installation's catalogue: what events of a type look like.
type EventType struct {
	// ID orders the catalogue; it is shown to nobody.
	ID   string `gorm:"primaryKey"`
	Name string
	// Description and Group are for people; Group names the types that belong together.
	Description string
	Group       string `gorm:"column:group_name"`
	// Schema is a JSON Schema 2020-12 of the data, and Example are data that fit; nil for none.
	Schema, Example []byte
	// Deprecated says that no more events of the type should be relied on.
	Deprecated bool
	CreatedAt  time.Time
	UpdatedAt  time.Time `gorm:"autoUpdateTime:false"`
}

// ErrEventTypeExists says that the catalogue has an event type of that name.
var ErrEventTypeExists = errors.New("the catalogue has this event type")
