// Package measuring reads what an installation uses: processor time and memory of its processes, transactions and
// statements of its database, and events of Temporal's histories.
package measuring

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// userHZ is the unit of processor time in /proc/<pid>/stat: on Linux always a hundredth of a second.
const userHZ = 100

// Process is a part of the installation: a process with all its descendants, such as PostgreSQL's backends.
type Process struct {
	Name string
	PID  int
	// Alone leaves the descendants out.
	Alone bool
}

// ProcessorTime is what each part has used so far, including descendants that have ended. Parts that cannot be read are
// left out.
func ProcessorTime(parts []Process) map[string]time.Duration {
	all := readProcesses()
	used := make(map[string]time.Duration, len(parts))
	for _, part := range parts {
		if _, runs := all[part.PID]; !runs {
			continue
		}
		var ticks int64
		for _, pid := range part.members(all) {
			ticks += all[pid].ticks
			if !part.Alone {
				ticks += all[pid].endedChildren
			}
		}
		used[part.Name] = time.Duration(ticks) * time.Second / userHZ
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
func (p Process) members(all map[int]stat) []int {
	members := []int{p.PID}
	if p.Alone {
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
