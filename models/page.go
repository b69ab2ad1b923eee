package models

import "errors"

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
