package api

import (
	"bytes"
	"encoding/json"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postrider/postrider/internal/service"
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
type Patch[T any] struct{ service.Patch[T] }

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
func (Patch[T]) Schema(registry huma.Registry) *huma.Schema { return orNullSchema[T](registry) }

// orNullSchema is the schema of a type with null allowed. That of an object is written out: a reference cannot add null.
func orNullSchema[T any](registry huma.Registry) *huma.Schema {
	of := reflect.TypeFor[T]()
	schema := *registry.Schema(of, of.Kind() != reflect.Struct, "")
	schema.Nullable = true
	return &schema
}

// OrNull is an object of an answer that may be null.
type OrNull[T any] struct{ Value *T }

// MarshalJSON writes the object or null.
func (o OrNull[T]) MarshalJSON() ([]byte, error) { return json.Marshal(o.Value) }

// Schema is the object's, with null allowed.
func (OrNull[T]) Schema(registry huma.Registry) *huma.Schema { return orNullSchema[T](registry) }

// patchOf is a patch whose value has another form.
func patchOf[A, B any](p Patch[A], convert func(A) B) service.Patch[B] {
	return service.Patch[B]{Set: p.Set, Null: p.Null, Value: convert(p.Value)}
}

// PageQuery is the part of a list that is asked for.
type PageQuery struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"250" default:"50" doc:"How many items."`
	Cursor string `query:"cursor" doc:"next_cursor or prev_cursor of another page."`
	Order  string `query:"order" enum:"desc,asc" default:"desc" doc:"Newest first, or oldest first."`
}

func (q PageQuery) page() models.Page {
	return models.Page{Limit: q.Limit, Cursor: q.Cursor, OldestFirst: q.Order == "asc"}
}

// List is a page of things.
type List[T any] struct {
	Data       []T     `json:"data"`
	NextCursor *string `json:"next_cursor" doc:"Where the next page begins; null on the last page."`
	PrevCursor *string `json:"prev_cursor" doc:"Where the page before ends; null on the first page."`
}

// ListOutput is the answer that carries a page.
type ListOutput[T any] struct{ Body List[T] }

func listOf[M, T any](items []M, beside models.Cursors, object func(M) T) *ListOutput[T] {
	return &ListOutput[T]{Body: List[T]{Data: objectsOf(items, object), NextCursor: orNull(beside.Next), PrevCursor: orNull(beside.Prev)}}
}

// objectsOf shows things; without any it is an empty list, not null.
func objectsOf[M, T any](items []M, object func(M) T) []T {
	objects := make([]T, len(items))
	for i, item := range items {
		objects[i] = object(item)
	}
	return objects
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
