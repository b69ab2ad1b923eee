package models

import (
	"encoding/base64"
	"errors"

	"gorm.io/gorm"
)

// Bounds of a page's size.
const (
	DefaultLimit = 50
	MaxLimit     = 250
)

// ErrBadCursor says that a cursor does not come from the list that it is given to.
var ErrBadCursor = errors.New("malformed cursor: use next_cursor of the previous page, unchanged")

// Page asks for a part of a list, newest first.
type Page struct {
	// Limit is the number of rows; DefaultLimit when zero.
	Limit int
	// Cursor continues behind the page that returned it; empty for the first page.
	Cursor string
}

// apply adds order, position and size to a query over rows with IDs of the kind. It asks for one row more
// than the page holds: that row's presence tells that there is a next page.
func (p Page) apply(q *gorm.DB, kind Kind) (*gorm.DB, error) {
	if p.Cursor != "" {
		after, err := base64.RawURLEncoding.DecodeString(p.Cursor)
		if err != nil || CheckID(kind, string(after)) != nil {
			return nil, ErrBadCursor
		}
		q = q.Where("id < ?", string(after))
	}
	return q.Order("id DESC").Limit(p.limit() + 1), nil
}

func (p Page) limit() int {
	if p.Limit == 0 {
		return DefaultLimit
	}
	return p.Limit
}

// cut drops the extra row and returns the cursor of the next page, empty on the last one.
func cut[T any](p Page, rows []T, id func(T) string) ([]T, string) {
	if len(rows) <= p.limit() {
		return rows, ""
	}
	rows = rows[:p.limit()]
	return rows, base64.RawURLEncoding.EncodeToString([]byte(id(rows[len(rows)-1])))
}
