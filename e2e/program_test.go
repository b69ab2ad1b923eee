package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// program is a process of ours.
type program struct {
	cmd            *exec.Cmd
	stdout, stderr transcript
	exited         chan struct{}
}

// launch starts a program with nothing in its environment but what it is given. It is killed when the test
// ends, and its last words are printed when the test failed.
func launch(t testing.TB, environment []string, name string, args ...string) *program {
	t.Helper()
	p := &program{exited: make(chan struct{})}
	p.cmd = exec.Command(filepath.Join(programFolder, name), args...)
	// No home: a profile of the Temporal tools must not change where the program connects to.
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}, environment...)
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	require.NoError(t, p.cmd.Start())
	go func() {
		defer close(p.exited)
		_ = p.cmd.Wait() // how it ended is in ProcessState
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("%s %s wrote, last:\n--- stdout\n%s\n--- stderr\n%s",
				name, strings.Join(args, " "), p.stdout.tail(), p.stderr.tail())
		}
	})
	return p
}

// kill ends the process with SIGKILL: no code of it runs any more.
func (p *program) kill() {
	_ = p.cmd.Process.Kill() // it may have ended by itself
	<-p.exited
}

// terminate asks the process to stop.
func (p *program) terminate(t testing.TB) {
	t.Helper()
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
}

// exitCode waits for the process's end.
func (p *program) exitCode(t testing.TB) int {
	t.Helper()
	eventually(t, p.hasExited, "%s does not end", p.cmd)
	return p.cmd.ProcessState.ExitCode()
}

func (p *program) hasExited() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}

// transcript keeps what a process writes.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write keeps text.
func (t *transcript) Write(text []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(text)
}

// String is everything so far.
func (t *transcript) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}

func (t *transcript) contains(text string) bool { return strings.Contains(t.String(), text) }

// tail is the end of it, in whole lines.
func (t *transcript) tail() string {
	const most = 40
	lines := strings.Split(strings.TrimRight(t.String(), "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-most):], "\n")
}
