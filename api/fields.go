package api

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// RawJSON is a JSON value whose bytes are kept as they are.
type RawJSON json.RawMessage

// Schema lets any JSON value pass.
func (RawJSON) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Description: "Any JSON value; its bytes are delivered as they are."}
}

// MarshalJSON returns the bytes.
func (r RawJSON) MarshalJSON() ([]byte, error) { return json.RawMessage(r).MarshalJSON() }

// UnmarshalJSON keeps the bytes.
func (r *RawJSON) UnmarshalJSON(data []byte) error {
	*r = bytes.Clone(data)
	return nil
}

// Patch is a member of a merge patch (RFC 7396): left out, null, or a new value.
type Patch[T any] struct {
	// Set says that the member is there; Null that it is null.
	Set, Null bool
	Value     T
}

// UnmarshalJSON reads a member that is there.
func (p *Patch[T]) UnmarshalJSON(data []byte) error {
	p.Set = true
	if string(data) == "null" {
		p.Null = true
		return nil
	}
	return json.Unmarshal(data, &p.Value)
}

// valueType is the type of the new value.
func (Patch[T]) valueType() reflect.Type { return reflect.TypeFor[T]() }

// Schema is the value's, with null allowed.
func (Patch[T]) Schema(registry huma.Registry) *huma.Schema {
	schema := *registry.Schema(reflect.TypeFor[T](), true, "")
	schema.Nullable = true
	return &schema
}

// to assigns the new value; null assigns the zero value.
func (p Patch[T]) to(target *T) {
	if p.Set {
		*target = p.Value
	}
}

// PageQuery is the part of a list that is asked for.
type PageQuery struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"250" default:"50" doc:"How many items."`
	Cursor string `query:"cursor" doc:"next_cursor of the previous page."`
	Order  string `query:"order" enum:"desc,asc" default:"desc" doc:"Newest first, or oldest first."`
}

func (q PageQuery) page() models.Page {
	return models.Page{Limit: q.Limit, Cursor: q.Cursor, OldestFirst: q.Order == "asc"}
}

// List is a page of things.
type List[T any] struct {
	Data       []T     `json:"data"`
	NextCursor *string `json:"next_cursor" doc:"Where the next page begins; null on the last page."`
}

// ListOutput is the answer that carries a page.
type ListOutput[T any] struct{ Body List[T] }

func listOf[M, T any](items []M, next string, object func(M) T) *ListOutput[T] {
	output := &ListOutput[T]{Body: List[T]{Data: make([]T, len(items)), NextCursor: orNull(next)}}
	for i, item := range items {
		output.Body.Data[i] = object(item)
	}
	return output
}

// Output is an answer with a body.
type Output[T any] struct{ Body T }

// orNull is null for an empty text.
func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// checkID makes an ID in a path a 404 when it cannot be one: there is no such thing.
func checkID(kind typeid.Kind, what, id string) error {
	if err := typeid.Check(kind, id); err != nil {
		problem := notFound(what, id)
		problem.Detail += ": the ID of a " + what + " is " + string(kind) + "_ and 26 letters and digits"
		return problem
	}
	return nil
}

// storable says that a database can hold a text: PostgreSQL refuses NUL and what is not UTF-8.
func storable(text string) bool { return utf8.ValidString(text) && !strings.ContainsRune(text, 0) }

// checkEventFilter makes an event type in a query a 422 when it cannot be one.
func checkEventFilter(eventType string) error {
	if eventType == "" || models.CheckEventType(eventType) == nil {
		return nil
	}
	return invalid("query.event", "expected an event type such as order.created")
}

// checkFilter makes an ID in a query a 422 when it cannot be one.
func checkFilter(kind typeid.Kind, name, id string) error {
	if id == "" || typeid.Check(kind, id) == nil {
		return nil
	}
	return invalid("query."+name, "expected "+string(kind)+"_ and 26 letters and digits")
}
