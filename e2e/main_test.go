package e2e

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	// patience is how long a test waits for something that must happen. It is long because the machine may
	// be busy, and because Temporal needs some ten seconds to notice that a worker died.
	patience = 90 * time.Second
	// pollInterval is how often a wait looks again.
	pollInterval = 50 * time.Millisecond
	// parallelTests run at once, whatever the number of processors: they mostly wait.
	parallelTests = "8"
)

// programFolder holds the programs under test. TestMain sets it once.
var programFolder string

func TestMain(m *testing.M) {
	os.Exit(testMain(m))
}

func testMain(m *testing.M) int {
	flag.Parse()
	if err := moreInParallel(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	folder, err := os.MkdirTemp("", "postrider-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(folder) }()
	// Without what only debuggers read, linking takes half the time.
	build := exec.Command("go", "build", "-ldflags=-s -w", "-o", folder+string(filepath.Separator),
		"./cmd/postrider", "./cmd/postrider-dev")
	build.Dir = ".."
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build the programs under test:", err)
		return 1
	}
	programFolder = folder
	return m.Run()
}

// moreInParallel sets -parallel unless the user did.
func moreInParallel() error {
	const name = "test.parallel"
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == name })
	if chosen {
		return nil
	}
	return flag.Set(name, parallelTests)
}

// eventually waits until the condition holds. The condition runs in the test's goroutine, so that it may use
// require.
func eventually(t testing.TB, condition func() bool, what string, args ...any) {
	t.Helper()
	eventuallyWithin(t, patience, condition, what, args...)
}

func eventuallyWithin(t testing.TB, limit time.Duration, condition func() bool, what string, args ...any) {
	t.Helper()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for !condition() {
		select {
		case <-ticker.C:
		case <-deadline.C:
			require.FailNow(t, "waited in vain: "+fmt.Sprintf(what, args...))
		}
	}
}
