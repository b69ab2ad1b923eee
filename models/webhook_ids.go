package models

import (
	"database/sql/driver"
	"errors"
	"slices"
	"strings"
)

// WebhookIDs are IDs of webhooks, sorted, each once. They are stored as a text with blanks between them.
type WebhookIDs []string

// NewWebhookIDs sorts IDs and drops those that are there twice.
func NewWebhookIDs(ids []string) WebhookIDs {
	return slices.Compact(slices.Sorted(slices.Values(ids)))
}

// String is the text that is stored; empty for none.
func (w WebhookIDs) String() string { return strings.Join(w, " ") }

// Value writes the IDs.
func (w WebhookIDs) Value() (driver.Value, error) { return w.String(), nil }

// Scan reads what Value wrote.
func (w *WebhookIDs) Scan(value any) error {
	*w = nil
	switch text := value.(type) {
	case string:
		*w = strings.Fields(text)
	case []byte:
		*w = strings.Fields(string(text))
	default:
		return errors.New("webhook IDs are stored as text")
	}
	if len(*w) == 0 {
		*w = nil
	}
	return nil
}

// GormDataType tells gorm the column's type.
func (WebhookIDs) GormDataType() string { return "string" }
