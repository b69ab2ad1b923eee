package load

import (
	"fmt"
	"sync"
)

// Problems are the errors of a load.
type Problems struct {
	mu    sync.Mutex
	err   error
	count int
}

// Add adds an error, unless it is nil.
func (p *Problems) Add(err error) {
	if err == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.count++; p.err == nil {
		p.err = err
	}
}

// First describes how many errors there were and the first one; it is empty when there was none.
func (p *Problems) First() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		return ""
	}
	return fmt.Sprintf("%d not accepted, the first: %s", p.count, p.err)
}

// Fatal is an error when nothing at all was accepted.
func (p *Problems) Fatal(published int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil && p.count >= published {
		return p.err
	}
	return nil
}
