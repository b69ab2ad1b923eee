package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

func TestRunGivesTheCommandAServer(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer

	code, err := run(t.Context(), shell(`echo "$POSTRIDER_TEST_DATABASE_URL"; echo complaint >&2`), "", &stdout, &stderr)

	require.NoError(t, err)
	require.Zero(t, code)
	require.Regexp(t, `^postgres://postgres@/postgres\?host=\S+\n$`, stdout.String())
	require.Equal(t, "complaint\n", stderr.String())
}

func TestRunKeepsAGivenServer(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer

	code, err := run(t.Context(), shell(`echo "$POSTRIDER_TEST_DATABASE_URL"`), "postgres://given", &stdout, &stderr)

	require.NoError(t, err)
	require.Zero(t, code)
	require.Equal(t, "postgres://given\n", stdout.String())
}

func TestRunFails(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		command []string
		code    int
		message string
	}{
		{"with the command's exit code", shell("exit 7"), 7, ""},
		{"when a signal ends the command", shell("kill -KILL $$"), 1, "signal: killed"},
		{"when there is no such command", []string{"postrider-has-no-such-command"}, 1, "not found"},
		{"without a command", nil, 2, "usage"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var output bytes.Buffer

			code, err := run(t.Context(), test.command, "postgres://given", &output, &output)

			require.Equal(t, test.code, code)
			if test.message == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, test.message)
			}
		})
	}
}

func shell(script string) []string { return []string{"/bin/sh", "-c", script} }
