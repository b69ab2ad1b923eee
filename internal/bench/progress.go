package bench

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/postrider/postrider/internal/bench/load"
)

// progress reports to a person: one changing line on a terminal, elsewhere a line every ten seconds.
type progress struct {
	out      io.Writer
	terminal bool

	mu sync.Mutex
	// stop ends the reports about the present load.
	stop func()
}

func newProgress(out io.Writer) *progress {
	p := &progress{out: out}
	if file, ok := out.(*os.File); ok {
		info, err := file.Stat()
		p.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return p
}

// step says what begins.
func (p *progress) step(what string) { p.say(what + " …") }

func (p *progress) say(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, _ = fmt.Fprintln(p.out, text)
}

// begin reports on a load until end.
func (p *progress) begin(what string, l *load.Ledger) {
	p.end()
	interval := 10 * time.Second
	if p.terminal {
		interval = time.Second
	}
	done, ended := make(chan struct{}), make(chan struct{})
	began := time.Now()
	go func() {
		defer close(ended)
		tick := time.NewTicker(interval)
		defer tick.Stop()
		_, before, _ := l.Progress()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
			}
			published, arrived, missing := l.Progress()
			p.line(fmt.Sprintf("%s: %3.0f s, %d published, %d arrived (%.0f/s), %d on their way", what,
				time.Since(began).Seconds(), published, arrived, float64(arrived-before)/interval.Seconds(), missing))
			before = arrived
		}
	}()
	p.mu.Lock()
	p.stop = func() { close(done); <-ended }
	p.mu.Unlock()
	p.line(what)
}

// line replaces the last line where it can.
func (p *progress) line(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.terminal {
		_, _ = fmt.Fprintf(p.out, "\r\x1b[K%s", text)
		return
	}
	_, _ = fmt.Fprintln(p.out, text)
}

// end stops the reports.
func (p *progress) end() {
	p.mu.Lock()
	stop := p.stop
	p.stop = nil
	p.mu.Unlock()
	if stop == nil {
		return
	}
	stop()
	if p.terminal {
		_, _ = fmt.Fprint(p.out, "\r\x1b[K")
	}
}
