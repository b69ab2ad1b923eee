package store

import (
	"encoding/base64"
	"time"

	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// onPage adds order, position and size to a query over rows with IDs of the kind. It asks for one row more
// than the page holds: that row's presence tells that there is a next page.
func onPage(p models.Page, q *gorm.DB, kind typeid.Kind) (*gorm.DB, error) {
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
func positionOf(p models.Page, kind typeid.Kind) (string, error) {
	id, err := base64.RawURLEncoding.DecodeString(p.Cursor)
	if err != nil || typeid.Check(kind, string(id)) != nil {
		return "", models.ErrBadCursor
	}
	return string(id), nil
}

func pageLimit(p models.Page) int {
	if p.Limit == 0 {
		return models.DefaultLimit
	}
	return p.Limit
}

// cut drops the extra row and returns the cursor of the next page, empty on the last one.
func cut[T any](p models.Page, rows []T, id func(T) string) ([]T, string) {
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
func between(q *gorm.DB, kind typeid.Kind, since, until time.Time) *gorm.DB {
	if since = wholeMicrosecond(since); !since.IsZero() {
		q = q.Where("id >= ? AND created_at >= ?", typeid.First(kind, since), since)
	}
	if until = wholeMicrosecond(until); !until.IsZero() {
		q = q.Where("id < ? AND created_at < ?", typeid.First(kind, until.Add(time.Millisecond)), until)
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
