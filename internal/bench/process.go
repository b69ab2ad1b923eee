package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// userHZ is the unit of processor time in /proc/<pid>/stat: on Linux always a hundredth of a second.
const userHZ = 100

// process is a part of the installation: a process with all its descendants, such as PostgreSQL's backends.
type process struct {
	name string
	pid  int
	// alone leaves the descendants out.
	alone bool
}

// processorTime is what each part has used so far. What a descendant used stays in the sum when it ends. Parts
// that cannot be seen are missing.
func processorTime(parts []process) map[string]time.Duration {
	all := readProcesses()
	used := make(map[string]time.Duration, len(parts))
	for _, part := range parts {
		if _, runs := all[part.pid]; !runs {
			continue
		}
		var ticks int64
		for _, pid := range part.members(all) {
			ticks += all[pid].ticks
			if !part.alone {
				ticks += all[pid].endedChildren
			}
		}
		used[part.name] = time.Duration(ticks) * time.Second / userHZ
	}
	return used
}

// stat is what /proc/<pid>/stat says.
type stat struct {
	parent int
	// ticks is the processor time of its own, endedChildren that of its children that have ended.
	ticks, endedChildren int64
}

func readProcesses() map[int]stat {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil
	}
	all := make(map[int]stat, len(files))
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		if pid, process, ok := parseStat(string(content)); ok {
			all[pid] = process
		}
	}
	return all
}

// parseStat reads proc_pid_stat(5). The second field is the command in parentheses, which may hold spaces and
// parentheses itself.
func parseStat(content string) (pid int, process stat, ok bool) {
	end := strings.LastIndexByte(content, ')')
	begin := strings.IndexByte(content, ' ')
	if begin < 0 || end < begin {
		return 0, stat{}, false
	}
	fields := strings.Fields(content[end+1:])
	const parent, user, system, childrenUser, childrenSystem = 1, 11, 12, 13, 14 // from the state, the third field
	if len(fields) <= childrenSystem {
		return 0, stat{}, false
	}
	number := func(text string) int64 {
		n, err := strconv.ParseInt(text, 10, 64)
		ok = ok && err == nil
		return n
	}
	ok = true
	pid = int(number(content[:begin]))
	process.parent = int(number(fields[parent]))
	process.ticks = number(fields[user]) + number(fields[system])
	process.endedChildren = number(fields[childrenUser]) + number(fields[childrenSystem])
	return pid, process, ok
}

// members are the processes of a part.
func (p process) members(all map[int]stat) []int {
	members := []int{p.pid}
	if p.alone {
		return members
	}
	for i := 0; i < len(members); i++ {
		for pid, process := range all {
			if process.parent == members[i] {
				members = append(members, pid)
			}
		}
	}
	return members
}

// memory is what each part has in memory, in bytes. Pages that a part's processes share, as PostgreSQL's do,
// count once.
func memory(parts []process) map[string]int64 {
	all := readProcesses()
	held := make(map[string]int64, len(parts))
	for _, part := range parts {
		if _, runs := all[part.pid]; !runs {
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
		held[part.name] = own + file + shared
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

// watchMemory samples what each part has in memory until the returned function is called, which returns the
// highest values.
func watchMemory(parts []process) (stop func() map[string]int64) {
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
