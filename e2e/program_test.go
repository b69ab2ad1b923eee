package e2e

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/deployment"
)

// program is a process of ours.
type program struct{ *deployment.Process }

// launch starts a program with nothing in its environment but what it is given. It is killed when the test
// ends, and its last words are printed when the test failed.
func launch(t testing.TB, environment []string, name string, args ...string) *program {
	t.Helper()
	// No home: a profile of the Temporal tools must not change where the program connects to.
	process, err := deployment.Start(deployment.Command{
		Folder: programFolder, Name: name, Args: args,
		Environment: append([]string{"HOME=" + t.TempDir()}, environment...),
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		process.Kill()
		if t.Failed() {
			t.Logf("%s %s wrote, last:\n--- stdout\n%s\n--- stderr\n%s",
				name, strings.Join(args, " "), process.Stdout.Tail(), process.Stderr.Tail())
		}
	})
	return &program{process}
}

// terminate asks the process to stop.
func (p *program) terminate(t testing.TB) {
	t.Helper()
	require.NoError(t, p.Terminate())
}

// exitCode waits for the process's end.
func (p *program) exitCode(t testing.TB) int {
	t.Helper()
	eventually(t, p.HasExited, "%s does not end", p)
	return p.ExitCode()
}
