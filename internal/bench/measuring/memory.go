package measuring

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// memory is how many bytes each part has in memory. Pages that its processes share, as PostgreSQL's do, count once.
func memory(parts []Process) map[string]int64 {
	all := readProcesses()
	held := make(map[string]int64, len(parts))
	for _, part := range parts {
		if _, runs := all[part.PID]; !runs {
			continue
		}
		var own, file, shared int64
		for _, pid := range part.members(all) {
			status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
			if err != nil {
				continue // it has ended
			}
			own += kilobytes(string(status), "RssAnon:")
			file = max(file, kilobytes(string(status), "RssFile:"))
			shared = max(shared, kilobytes(string(status), "RssShmem:"))
		}
		held[part.Name] = own + file + shared
	}
	return held
}

// kilobytes reads a line of /proc/<pid>/status, in bytes.
func kilobytes(status, name string) int64 {
	_, rest, _ := strings.Cut(status, name)
	line, _, _ := strings.Cut(rest, "\n")
	n, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(line), "kB")), 10, 64)
	if err != nil {
		return 0
	}
	return n << 10
}

// WatchMemory samples what each part has in memory until the returned function is called, which returns the
// highest values.
func WatchMemory(parts []Process) (stop func() map[string]int64) {
	const interval = 2 * time.Second // a look at every process takes some milliseconds
	ctx, cancel := context.WithCancel(context.Background())
	highest := memory(parts)
	look := func() {
		for name, bytes := range memory(parts) {
			highest[name] = max(highest[name], bytes)
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			look()
		}
	}()
	return func() map[string]int64 {
		cancel()
		<-done
		look()
		return highest
	}
}
