package models

import (
	"encoding/base64"
	"errors"
	"time"

	"gorm.io/gorm"
)

// Bounds of a page's size.
const (
	DefaultLimit = 50
	MaxLimit     = 250
)

// ErrBadCursor says that a cursor does not come from the list that it is given to.
var ErrBadCursor = errors.New("malformed cursor: use next_cursor of the previous page, unchanged")

// MaxPageBytes bounds the payloads of a page, such as events' data: what does not fit is on the next page. One
// item fits always.
const MaxPageBytes = 4 << 20

// Page asks for a part of a list, newest first.
type Page struct {
	// Limit is the number of rows; DefaultLimit when zero.
	Limit int
	// Cursor continues behind the page that returned it; empty for the first page.
	Cursor string
	// OldestFirst turns the order round.
	OldestFirst bool
}

// onPage adds order, position and size to a query over rows with IDs of the kind. It asks for one row more
// than the page holds: that row's presence tells that there is a next page.
func onPage(p Page, q *gorm.DB, kind Kind) (*gorm.DB, error) {
	if p.Cursor != "" {
		after, err := positionOf(p, kind)
		if err != nil {
			return nil, err
		}
		if p.OldestFirst {
			q = q.Where("id > ?", after)
		} else {
			q = q.Where("id < ?", after)
		}
	}
	if p.OldestFirst {
		return q.Order("id").Limit(pageLimit(p) + 1), nil
	}
	return q.Order("id DESC").Limit(pageLimit(p) + 1), nil
}

// positionOf is the ID that the page's cursor stands for.
func positionOf(p Page, kind Kind) (string, error) {
	id, err := base64.RawURLEncoding.DecodeString(p.Cursor)
	if err != nil || CheckID(kind, string(id)) != nil {
		return "", ErrBadCursor
	}
	return string(id), nil
}

func pageLimit(p Page) int {
	if p.Limit == 0 {
		return DefaultLimit
	}
	return p.Limit
}

// cut drops the extra row and returns the cursor of the next page, empty on the last one.
func cut[T any](p Page, rows []T, id func(T) string) ([]T, string) {
	return cutAt(rows, pageLimit(p), id)
}

// cutAt keeps the first rows and returns the cursor that continues behind them, empty when no row is left.
func cutAt[T any](rows []T, most int, id func(T) string) ([]T, string) {
	if len(rows) <= most {
		return rows, ""
	}
	rows = rows[:most]
	return rows, base64.RawURLEncoding.EncodeToString([]byte(id(rows[len(rows)-1])))
}

// between limits a query to rows made at or after since and before until. IDs begin with the millisecond, so the
// primary key finds the rows; created_at, which is exact to the microsecond, decides at both ends.
func between(q *gorm.DB, kind Kind, since, until time.Time) *gorm.DB {
	if since = wholeMicrosecond(since); !since.IsZero() {
		q = q.Where("id >= ? AND created_at >= ?", firstID(kind, since), since)
	}
	if until = wholeMicrosecond(until); !until.IsZero() {
		q = q.Where("id < ? AND created_at < ?", firstID(kind, until.Add(time.Millisecond)), until)
	}
	return q
}

// wholeMicrosecond rounds up to what rows hold: at or after, and before, then mean the same as for the exact time. It
// is in UTC and of four digits' years, because SQLite compares times as text.
func wholeMicrosecond(at time.Time) time.Time {
	whole := at.UTC().Truncate(time.Microsecond)
	if whole.Before(at) {
		whole = whole.Add(time.Microsecond)
	}
	if last := time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC); whole.After(last) {
		return last
	}
	return whole
}
