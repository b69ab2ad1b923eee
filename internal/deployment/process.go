package deployment

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Command says what to run.
type Command struct {
	// Folder holds the program Name.
	Folder, Name string
	Args         []string
	// Environment is all that the process gets, besides the PATH.
	Environment []string
}

// Process is a program that runs or has ended.
type Process struct {
	// Stdout and Stderr are what it wrote.
	Stdout, Stderr Transcript

	cmd    *exec.Cmd
	exited chan struct{}
}

// Start runs a program.
func Start(command Command) (*Process, error) {
	p := &Process{exited: make(chan struct{})}
	p.cmd = exec.Command(filepath.Join(command.Folder, command.Name), command.Args...)
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, command.Environment...)
	p.cmd.Stdout, p.cmd.Stderr = &p.Stdout, &p.Stderr
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", command.Name, err)
	}
	go func() {
		defer close(p.exited)
		_ = p.cmd.Wait() // how it ended is in ProcessState
	}()
	return p, nil
}

// Kill ends the process with SIGKILL: no code of it runs any more.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // it may have ended by itself
	<-p.exited
}

// Terminate asks the process to stop.
func (p *Process) Terminate() error { return p.cmd.Process.Signal(syscall.SIGTERM) }

// Pause stops the process where it is, as a host does that hangs; Resume lets it go on.
func (p *Process) Pause() error { return p.cmd.Process.Signal(syscall.SIGSTOP) }

// Resume ends a Pause.
func (p *Process) Resume() error { return p.cmd.Process.Signal(syscall.SIGCONT) }

// PID is the process's number.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Exited is closed when the process has ended.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// HasExited says whether the process has ended.
func (p *Process) HasExited() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}

// ExitCode is the process's answer, -1 when a signal ended it. Only a process that has ended has one.
func (p *Process) ExitCode() int { return p.cmd.ProcessState.ExitCode() }

// ProcessorTime is what a process that has ended used.
func (p *Process) ProcessorTime() time.Duration {
	return p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
}

// String is the command line.
func (p *Process) String() string { return p.cmd.String() }

// Transcript keeps what a process writes.
type Transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write keeps text.
func (t *Transcript) Write(text []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(text)
}

// String is everything so far.
func (t *Transcript) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}

// Contains says whether the text has been written.
func (t *Transcript) Contains(text string) bool { return strings.Contains(t.String(), text) }

// Tail is the end of it, in whole lines.
func (t *Transcript) Tail() string {
	const most = 40
	lines := strings.Split(strings.TrimRight(t.String(), "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-most):], "\n")
}
