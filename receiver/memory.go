package receiver

import (
	"container/heap"
	"context"
	"strings"
	"sync"
	"time"
)

// DefaultMemoryLimit is how many events a [MemoryStore] remembers unless told
// otherwise. They take 30 to 50 MB.
const DefaultMemoryLimit = 100_000

// MemoryStore is a [Store] for one process. It forgets everything when the
// process ends: use package gormstore where that, or several processes, matters.
// The zero value is not usable: use [NewMemoryStore].
type MemoryStore struct {
	limit int

	mu      sync.Mutex
	entries map[memoryKey]*memoryEntry
	bodies  map[memoryName]int // how many entries there are with an ID
	claimed expiryHeap
	done    expiryHeap
}

type memoryName struct{ endpoint, eventID string }

type memoryKey struct {
	memoryName
	bodyHash string
}

func keyOf(claim Claim) memoryKey {
	return memoryKey{memoryName{claim.Endpoint, claim.EventID}, claim.BodyHash}
}

type memoryEntry struct {
	key     memoryKey
	token   string
	expires time.Time
	heap    *expiryHeap // the one that it is in
	index   int         // its place there
}

// NewMemoryStore returns a store of at most limit events; zero or less means
// [DefaultMemoryLimit]. When it is full, it forgets the event that would be
// forgotten next anyway.
func NewMemoryStore(limit int) *MemoryStore {
	if limit <= 0 {
		limit = DefaultMemoryLimit
	}
	return &MemoryStore{limit: limit, entries: map[memoryKey]*memoryEntry{}, bodies: map[memoryName]int{}}
}

// Claim implements [Store]. Its error is [ErrStoreFull].
func (s *MemoryStore) Claim(_ context.Context, claim Claim) (State, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forgetExpired(claim.Now)

	key := keyOf(claim)
	for _, known := range []memoryKey{key, {memoryName: key.memoryName}} {
		if e, ok := s.entries[known]; ok {
			if e.heap == &s.done {
				return State{Status: StatusDone, Until: e.expires}, nil
			}
			return State{Status: StatusInProgress, Until: e.expires}, nil
		}
	}
	conflict := s.bodies[key.memoryName] > 0
	if !s.makeRoom() {
		return State{}, ErrStoreFull
	}
	s.add(&s.claimed, &memoryEntry{key: key, token: claim.Token, expires: claim.Until})
	return State{Status: StatusClaimed, Until: claim.Until, Conflict: conflict}, nil
}

// Complete implements [Store]. Its error is [ErrStoreFull].
func (s *MemoryStore) Complete(_ context.Context, claim Claim, until time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := keyOf(claim)
	if e, ok := s.entries[key]; ok {
		s.remove(e)
	}
	if !s.makeRoom() {
		return ErrStoreFull
	}
	s.add(&s.done, &memoryEntry{key: key, expires: until})
	return nil
}

// Release implements [Store]. It never fails.
func (s *MemoryStore) Release(_ context.Context, claim Claim) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.entries[keyOf(claim)]
	if ok && e.heap == &s.claimed && e.token == claim.Token {
		s.remove(e)
	}
	return nil
}

// Len returns how many events the store holds.
func (s *MemoryStore) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.entries)
}

func (s *MemoryStore) forgetExpired(now time.Time) {
	for _, h := range []*expiryHeap{&s.claimed, &s.done} {
		for len(*h) > 0 && !(*h)[0].expires.After(now) {
			s.remove((*h)[0])
		}
	}
}

// makeRoom reports whether there is room for one more. What is being handled is
// never forgotten before its time.
func (s *MemoryStore) makeRoom() bool {
	if len(s.entries) < s.limit {
		return true
	}
	if len(s.done) == 0 {
		return false
	}
	s.remove(s.done[0])
	return true
}

func (s *MemoryStore) add(h *expiryHeap, e *memoryEntry) {
	// The ID may be a piece of a whole request, which must not stay in memory.
	e.key.eventID = strings.Clone(e.key.eventID)
	e.heap = h
	s.entries[e.key] = e
	s.bodies[e.key.memoryName]++
	heap.Push(h, e)
}

func (s *MemoryStore) remove(e *memoryEntry) {
	heap.Remove(e.heap, e.index)
	delete(s.entries, e.key)
	if s.bodies[e.key.memoryName]--; s.bodies[e.key.memoryName] == 0 {
		delete(s.bodies, e.key.memoryName)
	}
}

// expiryHeap is a heap with the entry that expires first on top. It implements
// [heap.Interface].
type expiryHeap []*memoryEntry

func (h expiryHeap) Len() int           { return len(h) }
func (h expiryHeap) Less(i, j int) bool { return h[i].expires.Before(h[j].expires) }

func (h expiryHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *expiryHeap) Push(x any) {
	e, ok := x.(*memoryEntry)
	if !ok {
		return // nobody pushes anything else
	}
	e.index = len(*h)
	*h = append(*h, e)
}

func (h *expiryHeap) Pop() any {
	last := len(*h) - 1
	e := (*h)[last]
	(*h)[last] = nil // or it would be kept in memory
	*h = (*h)[:last]
	return e
}
