package api

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"golang.org/x/sync/semaphore"
)

// The number of answers in memory is bounded, from when they are loaded until they are sent: a client may ask and not
// read. An answer that may be large counts as several.
const (
	readUnits      = 128 // of a process: 16 large answers
	readUnitsOfKey = 32  // 4 large answers
	largeRead      = 8
	// readWait is how long a request waits for the ones before it.
	readWait = 5 * time.Second
)

// readUnitsFor is how many units a request takes.
func readUnitsFor(c huma.Context) int64 {
	if c.Operation().Metadata[largeAnswers] == true || c.Query("include") != "" {
		return largeRead
	}
	return 1
}

// reads are the answers that are under way.
type reads struct {
	all *semaphore.Weighted

	mu    sync.Mutex
	byKey map[string]*keyReads
}

type keyReads struct {
	units *semaphore.Weighted
	users int
}

func newReads() *reads {
	return &reads{all: semaphore.NewWeighted(readUnits), byKey: map[string]*keyReads{}}
}

// begin waits until a key may have another answer. It returns nil when the wait was too long.
func (r *reads) begin(ctx context.Context, key string, units int64) (end func()) {
	ctx, cancel := context.WithTimeout(ctx, readWait)
	defer cancel()
	of := r.enter(key)
	if of.units.Acquire(ctx, units) != nil {
		r.leave(key, of)
		return nil
	}
	if r.all.Acquire(ctx, units) != nil {
		of.units.Release(units)
		r.leave(key, of)
		return nil
	}
	return func() {
		r.all.Release(units)
		of.units.Release(units)
		r.leave(key, of)
	}
}

func (r *reads) enter(key string) *keyReads {
	r.mu.Lock()
	defer r.mu.Unlock()
	of, ok := r.byKey[key]
	if !ok {
		of = &keyReads{units: semaphore.NewWeighted(readUnitsOfKey)}
		r.byKey[key] = of
	}
	of.users++
	return of
}

func (r *reads) leave(key string, of *keyReads) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if of.users--; of.users == 0 {
		delete(r.byKey, key)
	}
}

// boundReads bounds the number of answers under way.
func (s *server) boundReads(api huma.API) func(huma.Context, func(huma.Context)) {
	return func(c huma.Context, next func(huma.Context)) {
		if c.Method() != http.MethodGet {
			next(c)
			return
		}
		end := s.reads.begin(c.Context(), whoAsks(c.Context()).KeyID, readUnitsFor(c))
		if end == nil {
			s.refuse(api, c, newProblem(http.StatusServiceUnavailable, codeUnavailable,
				"too many large answers are under way; read them to their end, and come back after the seconds in Retry-After"))
			return
		}
		defer end()
		next(c)
	}
}
