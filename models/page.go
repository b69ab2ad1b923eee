package models

import "errors"

// Bounds of a page's size.
const (
	DefaultLimit = 50
	MaxLimit     = 250
)

// MaxFilterValues is how many values a filter of a list may have.
const MaxFilterValues = 20

// ErrBadCursor says that a cursor does not come from the list that it is given to.
var ErrBadCursor = errors.New("malformed cursor: use next_cursor or prev_cursor of another page, unchanged")

// MaxPageBytes bounds the payloads of a page, such as events' data: what does not fit is on the next page. One
// item fits always.
const MaxPageBytes = 4 << 20

// Page asks for a part of a list, newest first.
type Page struct {
	// Limit is the number of rows; DefaultLimit when zero.
	Limit int
	// Cursor is one of the Cursors of another page; empty for the first page.
	Cursor string
	// OldestFirst turns the order round.
	OldestFirst bool
}

// Cursors lead from a page to the two beside it; each is empty where there is none.
type Cursors struct{ Next, Prev string }
