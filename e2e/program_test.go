package e2e

import (
	"regexp"
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
		requireNoSecretLogged(t, process, environment)
		if t.Failed() {
			t.Logf("%s %s wrote, last:\n--- stdout\n%s\n--- stderr\n%s",
				name, strings.Join(args, " "), process.Stdout.Tail(), process.Stderr.Tail())
		}
	})
	return &program{process}
}

// secretForm is the form of what no log and no history holds: secrets and keys, as they are shown once, and
// signatures.
var secretForm = regexp.MustCompile(`whsec_[A-Za-z0-9+/]{16,}|prk_[A-Za-z0-9_-]{16,}|v1=[0-9a-f]{64}|v1,[A-Za-z0-9+/]{43}=`)

// requireNoSecretLogged searches a process's log for secrets, and for the keys that it was given. Every process of
// every test is searched.
func requireNoSecretLogged(t testing.TB, process *deployment.Process, environment []string) {
	t.Helper()
	log := process.Stderr.String()
	if at := secretForm.FindStringIndex(log); at != nil {
		t.Errorf("the log of %s tells a secret: …%s…", process, log[max(0, at[0]-300):at[1]])
	}
	for _, variable := range environment {
		name, value, _ := strings.Cut(variable, "=")
		if strings.HasSuffix(name, "_KEY") && strings.Contains(log, value) {
			t.Errorf("the log of %s tells %s", process, name)
		}
	}
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
