package models

import (
	"database/sql/driver"
	"encoding/json"
	"errors"
)

// Headers are HTTP headers by name, stored as a JSON object.
type Headers map[string]string

// Value writes the headers.
func (h Headers) Value() (driver.Value, error) {
	if h == nil {
		return "{}", nil
	}
	text, err := json.Marshal(map[string]string(h))
	return string(text), err
}

// Scan reads what Value wrote.
func (h *Headers) Scan(value any) error {
	switch text := value.(type) {
	case string:
		return json.Unmarshal([]byte(text), (*map[string]string)(h))
	case []byte:
		return json.Unmarshal(text, (*map[string]string)(h))
	}
	return errors.New("headers are stored as text")
}

// GormDataType tells gorm the column's type.
func (Headers) GormDataType() string { return "string" }

// SetHeaders gives a webhook other headers; the store seals them when it writes the webhook.
func (w *Webhook) SetHeaders(headers Headers) { w.Headers, w.SealedHeaders = headers, nil }
