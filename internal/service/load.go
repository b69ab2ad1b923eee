package service

import (
	"context"
	"errors"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// load gets a thing that a call names by its ID from the store, as far as the caller may see it. Changes use it too: get
// is then what makes the change. Where there is no such thing it returns a NotFoundError.
func load[T any](ctx context.Context, who Caller, kind typeid.Kind, id string,
	get func(ctx context.Context, scope models.Scope, id string) (T, error),
) (T, error) {
	if typeid.Check(kind, id) != nil {
		var none T
		return none, &NotFoundError{Kind: kind, ID: id, Malformed: true}
	}
	thing, err := get(ctx, who.scope(), id)
	if errors.Is(err, models.ErrNotFound) {
		err = &NotFoundError{Kind: kind, ID: id}
	}
	return thing, err
}

// loadForAdmin is load for what only administrators may name.
func loadForAdmin[T any](ctx context.Context, who Caller, kind typeid.Kind, id string, get func(ctx context.Context, id string) (T, error)) (T, error) {
	if err := onlyAdmins(who); err != nil {
		var none T
		return none, err
	}
	return load(ctx, who, kind, id, func(ctx context.Context, _ models.Scope, id string) (T, error) { return get(ctx, id) })
}

// checkFilter refuses an ID in a list's filter that cannot be one.
func checkFilter(kind typeid.Kind, location string, ids []string) error {
	for _, id := range ids {
		if typeid.Check(kind, id) != nil {
			return invalid(location, "expected "+string(kind)+"_ and 26 letters and digits, or several of them with commas between")
		}
	}
	return nil
}

// checkEventFilter refuses an event type in a list's filter that cannot be one.
func checkEventFilter(eventTypes []string) error {
	for _, eventType := range eventTypes {
		if models.CheckEventType(eventType) != nil {
			return invalid("event", "expected an event type such as order.created, or several of them with commas between")
		}
	}
	return nil
}
