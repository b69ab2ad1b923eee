package store

import (
	"cmp"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// listing says how a list of rows is read that have IDs of a kind.
type listing[T any] struct {
	kind typeid.Kind
	id   func(T) string
	// filters narrow the list; see filtered.
	filters []oneOf
	// omit are the columns that are not read.
	omit []string
	// fill, unless nil, completes the rows of a page in the order in which they were read, and returns how many fit on it.
	fill func(rows []T) (int, error)
}

// list reads a page of the rows that a query finds, in the order of their IDs, with the cursors of the pages beside it.
func list[T any](q *gorm.DB, p models.Page, of listing[T]) ([]T, models.Cursors, error) {
	at, err := positionOf(p, of.kind)
	if err != nil {
		return nil, models.Cursors{}, err
	}
	rows, err := read(q, at, of)
	if err != nil {
		return nil, models.Cursors{}, err
	}
	return cut(at, rows, of.id, of.fill)
}

// read reads the rows at a position, one more than the page holds if there are as many.
func read[T any](q *gorm.DB, at position, of listing[T]) (rows []T, err error) {
	q = q.Model(new(T)).Omit(of.omit...)
	return rows, filtered(q, of.filters, at.onPage).Omit(of.omit...).Find(&rows).Error
}

// position is where a page begins, and how it is read.
type position struct {
	models.Page
	// id is the row that the page lies beside; empty for the first page.
	id string
	// back says that the page ends before that row instead of beginning behind it.
	back bool
}

// backward begins what a cursor that leads back stands for.
const backward = "<"

// positionOf is what the page's cursor stands for.
func positionOf(p models.Page, kind typeid.Kind) (position, error) {
	at := position{Page: p}
	if p.Limit == 0 {
		at.Limit = models.DefaultLimit
	}
	if p.Cursor == "" {
		return at, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(p.Cursor)
	if err != nil {
		return position{}, models.ErrBadCursor
	}
	at.id, at.back = strings.CutPrefix(string(text), backward)
	if typeid.Check(kind, at.id) != nil {
		return position{}, models.ErrBadCursor
	}
	return at, nil
}

// ascending says that the rows are read in the order of their IDs: a page that lies before a row is read from its end.
func (at position) ascending() bool { return at.OldestFirst != at.back }

// onPage adds order, position and size to a query. It asks for one row more than the page holds: that row's presence
// tells that there is another page.
func (at position) onPage(q *gorm.DB) *gorm.DB { return at.from(q, "id", "").Limit(at.Limit + 1) }

// from adds order and position to a query: behind what was reached already, or else where the page begins.
func (at position) from(q *gorm.DB, column, reached string) *gorm.DB {
	behind, order := column+" < ?", column+" DESC"
	if at.ascending() {
		behind, order = column+" > ?", column
	}
	if begin := cmp.Or(reached, at.id); begin != "" {
		q = q.Where(behind, begin)
	}
	return q.Order(order)
}

// compare compares two IDs in the order in which the page is read.
func (at position) compare(a, b string) int {
	if at.ascending() {
		return strings.Compare(a, b)
	}
	return strings.Compare(b, a)
}

// goingOn are the cursors of a page that ends early, because as many rows were looked at as one call may: what is behind
// the one that was reached is on the next page.
func (at position) goingOn(beside models.Cursors, reached string) models.Cursors {
	forth, back := cursorOf(reached), cursorOf(backward+reached)
	switch {
	case at.back:
		return models.Cursors{Next: cmp.Or(beside.Next, forth), Prev: back}
	case at.id != "":
		return models.Cursors{Next: forth, Prev: cmp.Or(beside.Prev, back)}
	}
	return models.Cursors{Next: forth}
}

// turningBack are the cursors of an empty page, behind which nothing is: from the end of the list back.
func (at position) turningBack(kind typeid.Kind) models.Cursors {
	end := string(kind) + "_" + strings.Repeat("0", typeid.Digits)
	if at.ascending() {
		end = string(kind) + "_7" + strings.Repeat("z", typeid.Digits-1)
	}
	if at.back {
		return models.Cursors{Next: cursorOf(end)}
	}
	return models.Cursors{Prev: cursorOf(backward + end)}
}

// cut makes a page of the rows that were read for it, with the cursors of the pages beside it.
func cut[T any](at position, rows []T, id func(T) string, fill func([]T) (int, error)) ([]T, models.Cursors, error) {
	more := len(rows) > at.Limit
	rows = rows[:min(len(rows), at.Limit)]
	if fill != nil {
		fit, err := fill(rows)
		if err != nil {
			return nil, models.Cursors{}, err
		}
		more, rows = more || fit < len(rows), rows[:fit]
	}
	if at.back {
		slices.Reverse(rows)
	}
	var cursors models.Cursors
	if len(rows) == 0 {
		return rows, cursors, nil
	}
	if more || at.back {
		cursors.Next = cursorOf(id(rows[len(rows)-1]))
	}
	if at.back && more || !at.back && at.id != "" {
		cursors.Prev = cursorOf(backward + id(rows[0]))
	}
	return rows, cursors, nil
}

func cursorOf(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

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
