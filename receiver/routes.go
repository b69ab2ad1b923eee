package receiver

import (
	"context"
	"fmt"
	"strings"
	"sync"
)

// Func handles one event. When it returns an error or panics, the sender is
// answered 500 and its retry is handled again.
type Func func(ctx context.Context, e Event) error

// maxLoggedTypes bounds the types that are remembered as logged: some providers
// do not sign them.
const maxLoggedTypes = 1000

// routes maps event types to functions.
type routes struct {
	mu       sync.RWMutex
	exact    map[string]Func
	prefixes map[string]Func // with the separator: "order."
	all      Func
	logged   map[string]bool // unhandled types that were logged
}

func newRoutes() *routes {
	return &routes{exact: map[string]Func{}, prefixes: map[string]Func{}, logged: map[string]bool{}}
}

// On registers the function for events whose type matches the pattern: a type
// such as "order.created", everything below a prefix ("order.*", or "orders/*"
// for senders that write types with a slash), or all ("*"). As in
// [net/http.ServeMux], one function gets an event: that of the most specific
// pattern. So one error means one retry of one function.
//
// On panics when the pattern is malformed or taken, or the function nil.
func (h *Handler) On(pattern string, f Func) {
	if f == nil {
		panic("receiver: On: nil function for " + pattern)
	}
	if err := h.routes.add(pattern, f); err != nil {
		panic(fmt.Sprintf("receiver: On(%q): %s", pattern, err))
	}
}

func (r *routes) add(pattern string, f Func) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if pattern == "*" {
		if r.all != nil {
			return errTaken
		}
		r.all = f
		return nil
	}
	functions, name := r.exact, pattern
	if prefix, isPrefix := strings.CutSuffix(pattern, "*"); isPrefix {
		if len(prefix) < 2 || !isSeparator(prefix[len(prefix)-1]) {
			return errPattern
		}
		functions, name = r.prefixes, prefix
	}
	if name == "" || strings.Contains(name, "*") {
		return errPattern
	}
	if functions[name] != nil {
		return errTaken
	}
	functions[name] = f
	return nil
}

// find returns the function for a type, or nil.
func (r *routes) find(eventType string) Func {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if f := r.exact[eventType]; f != nil {
		return f
	}
	for end := len(eventType); end > 1; end-- {
		if isSeparator(eventType[end-1]) {
			if f := r.prefixes[eventType[:end]]; f != nil {
				return f
			}
		}
	}
	return r.all
}

// firstUnhandled reports whether a type that has no function should be logged.
func (r *routes) firstUnhandled(eventType string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.logged[eventType] || len(r.logged) >= maxLoggedTypes {
		return false
	}
	r.logged[eventType] = true
	return true
}

func isSeparator(c byte) bool { return c == '.' || c == '/' }
