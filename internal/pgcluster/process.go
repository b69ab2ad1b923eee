package pgcluster

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// patience bounds how long the server may take for anything, also on a busy machine and when it has to
// recover from a crash.
const patience = time.Minute

// pollInterval is how often a wait looks again.
const pollInterval = 10 * time.Millisecond

// poll calls done until it is true, and reports false when it runs out of patience.
func poll(done func() bool) bool {
	deadline := time.After(patience)
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for !done() {
		select {
		case <-ticker.C:
		case <-deadline:
			return false
		}
	}
	return true
}

// start runs a program in a session of its own, so that a terminal's signals do not reach it, and with as
// little environment as possible, so that PGDATA, locale and the like do not reach it either. The caller
// reaps it with wait or exited: a goroutine that waits for it would look like a leak to every test.
func (c *Cluster) start(stdin, output *os.File, program string, args ...string) (*os.Process, error) {
	return os.StartProcess(program, append([]string{program}, args...), &os.ProcAttr{
		Dir:   c.folder,
		Env:   []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"},
		Files: []*os.File{stdin, output, output},
		Sys:   &syscall.SysProcAttr{Setsid: true, Credential: c.credential},
	})
}

// exited reports whether the child has ended, and reaps it.
func exited(child *os.Process) bool {
	reaped, err := syscall.Wait4(child.Pid, nil, syscall.WNOHANG, nil)
	return reaped == child.Pid || errors.Is(err, syscall.ECHILD)
}

// wait blocks until the child has ended, and returns an error unless it exited with 0.
func wait(child *os.Process) error {
	state, err := child.Wait()
	if err == nil && !state.Success() {
		err = errors.New(state.String())
	}
	return err
}

// killAll sends SIGKILL to processes that are not our children, and waits for their end.
func killAll(pids []int) error {
	var failed error
	for _, pid := range pids {
		process, err := os.FindProcess(pid)
		if err == nil {
			err = process.Kill()
		}
		if err != nil && !errors.Is(err, os.ErrProcessDone) {
			failed = errors.Join(failed, fmt.Errorf("process %d: %w", pid, err))
		}
	}
	for _, pid := range pids {
		ended := poll(func() bool {
			state, _ := processState(pid)
			return state == "" || state == "Z"
		})
		if !ended {
			failed = errors.Join(failed, fmt.Errorf("process %d does not end", pid))
		}
	}
	return failed
}

// childrenOf returns the children of a process. It knows them on Linux only.
func childrenOf(parent int) []int {
	entries, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil
	}
	var children []int
	for _, entry := range entries {
		pid, err := strconv.Atoi(filepath.Base(entry))
		if err != nil {
			continue
		}
		if state, of := processState(pid); of == parent && state != "Z" {
			children = append(children, pid)
		}
	}
	return children
}

// processState returns a process's state and parent as /proc/<pid>/stat tells them (proc_pid_stat(5)): "R"
// is running, "Z" has ended and waits to be reaped, "" has ended.
func processState(pid int) (state string, parent int) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", 0
	}
	// The second field is the command in parentheses, which may hold spaces and parentheses itself.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 2 {
		return "", 0
	}
	parent, err = strconv.Atoi(fields[1])
	if err != nil {
		return "", 0
	}
	return fields[0], parent
}
