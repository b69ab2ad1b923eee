package models

import (
	"database/sql/driver"
	"encoding/json"
	"errors"
)

// Metadata are short texts by name that users add to what is theirs, stored as a JSON object. Postrider only keeps them.
type Metadata map[string]string

// Text is the metadata as a JSON object.
func (m Metadata) Text() string {
	if len(m) == 0 {
		return "{}"
	}
	text, _ := json.Marshal(map[string]string(m)) // cannot fail: they are strings
	return string(text)
}

// Value writes the metadata.
func (m Metadata) Value() (driver.Value, error) { return m.Text(), nil }

// Scan reads what Value wrote; NULL is none.
func (m *Metadata) Scan(value any) error {
	switch text := value.(type) {
	case nil:
		*m = nil
		return nil
	case string:
		return m.read([]byte(text))
	case []byte:
		return m.read(text)
	}
	return errors.New("metadata is stored as text")
}

func (m *Metadata) read(text []byte) error {
	*m = nil
	if string(text) == "{}" {
		return nil // as most have it
	}
	return json.Unmarshal(text, (*map[string]string)(m))
}

// GormDataType tells gorm the column's type.
func (Metadata) GormDataType() string { return "string" }
