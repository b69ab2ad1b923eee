package start

import (
	"sync"
	"time"
)

// held are the deliveries whose first attempt this process makes without a workflow. Until that attempt is over, no
// workflow may make another: both would have the number 1. The zero value is empty.
type held struct {
	mu    sync.Mutex
	since map[string]time.Time
	// then is what was asked for meanwhile.
	then map[string][]func()
}

// Hold keeps StartDeliveries and Resend from starting a delivery's workflow until LetGo.
func (s *Starter) Hold(deliveryID string) {
	s.held.mu.Lock()
	defer s.held.mu.Unlock()
	if s.held.since == nil {
		s.held.since, s.held.then = map[string]time.Time{}, map[string][]func(){}
	}
	s.held.since[deliveryID] = time.Now()
}

// LetGo ends a Hold, and does what was asked for meanwhile.
func (s *Starter) LetGo(deliveryID string) {
	s.held.mu.Lock()
	then := s.held.then[deliveryID]
	delete(s.held.since, deliveryID)
	delete(s.held.then, deliveryID)
	s.held.mu.Unlock()
	for _, do := range then {
		do()
	}
}

// HeldFor returns the deliveries that have been held for at least so long.
func (s *Starter) HeldFor(least time.Duration) []string {
	s.held.mu.Lock()
	defer s.held.mu.Unlock()
	var ids []string
	for id, since := range s.held.since {
		if time.Since(since) >= least {
			ids = append(ids, id)
		}
	}
	return ids
}

// has says whether a delivery is held.
func (h *held) has(deliveryID string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, ok := h.since[deliveryID]
	return ok
}

// after has something done when a delivery is let go. It returns false for one that is not held.
func (h *held) after(deliveryID string, do func()) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.since[deliveryID]; !ok {
		return false
	}
	h.then[deliveryID] = append(h.then[deliveryID], do)
	return true
}
