package e2e

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/keyring"
	"github.com/postrider/postrider/internal/testdb"
	"github.com/postrider/postrider/models"
)

// TestCannotStart sees every program that cannot start say why, in one line that names the remedy.
func TestCannotStart(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, listener.Close()) })
	taken := listener.Addr().String()
	_, takenPort, err := net.SplitHostPort(taken)
	require.NoError(t, err)

	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	below := filepath.Join(file, "data")

	// dev are the arguments of a start that works, with the changes at the end.
	dev := func(changes ...string) []string {
		args := []string{"--data-dir", filepath.Join(t.TempDir(), "data"), "--listen", address(ports.next(t)),
			"--temporal-port", strconv.Itoa(ports.next(t)), "--temporal-ui-port", strconv.Itoa(ports.next(t)), "--receiver", "off"}
		return append(args, changes...)
	}
	production := func(databaseURL string) []string {
		return []string{"POSTRIDER_DATABASE_URL=" + databaseURL, "POSTRIDER_ENCRYPTION_KEY=" + keyring.NewKey(),
			"POSTRIDER_ADMIN_KEY=" + models.NewAPIKeyToken(), "TEMPORAL_ADDRESS=" + address(ports.next(t))}
	}
	migrated := production(testdb.Postgres(t))
	require.Zero(t, launch(t, migrated, "postrider", "migrate").exitCode(t))

	for _, test := range []struct {
		name        string
		environment []string
		program     string
		args        []string
		says        []string
	}{
		{"API port in use", nil, "postrider-dev", dev("--listen", taken), []string{taken, "in use", "--listen"}},
		{"receiver's port in use", nil, "postrider-dev", dev("--receiver", taken), []string{taken, "in use", "--receiver"}},
		{"Temporal's port in use", nil, "postrider-dev", dev("--temporal-port", takenPort), []string{takenPort, "in use", "--temporal-port"}},
		{"Web UI's port in use", nil, "postrider-dev", dev("--temporal-ui-port", takenPort), []string{takenPort, "in use", "--temporal-ui-port"}},
		{"data below a file", nil, "postrider-dev", dev("--data-dir", below), []string{below, "--data-dir"}},
		{"Temporal alone, port in use", nil, "postrider-dev",
			[]string{"temporal", "--data-dir", filepath.Join(t.TempDir(), "data"), "--temporal-port", takenPort, "--temporal-ui-port", "0"},
			[]string{takenPort, "in use", "--temporal-port"}},
		{"Temporal alone, data below a file", nil, "postrider-dev",
			[]string{"temporal", "--data-dir", below, "--temporal-port", "0", "--temporal-ui-port", "0"}, []string{below, "--data-dir"}},
		{"Temporal alone, no database", []string{"POSTRIDER_TEMPORAL_DATABASE_URL=postgres://user@" + address(ports.next(t)) + "/temporal"},
			"postrider-dev", []string{"temporal", "--temporal-port", "0", "--temporal-ui-port", "0"}, []string{"Temporal's database", "connection refused"}},
		{"Temporal alone, no shards", []string{"POSTRIDER_TEMPORAL_DATABASE_URL=postgres://user@" + address(ports.next(t)) + "/temporal"},
			"postrider-dev", []string{"temporal", "--temporal-history-shards", "0"}, []string{"--temporal-history-shards"}},
		{"production, port in use", migrated, "postrider", []string{"serve", "--listen", taken}, []string{taken, "in use", "--listen"}},
		{"production, old schema", production(testdb.Postgres(t)), "postrider",
			[]string{"serve", "--listen", address(ports.next(t))}, []string{"postrider migrate"}},
		{"production, nothing configured", []string{"POSTRIDER_ENCRYPTION_KEY=" + keyring.NewKey()}, "postrider",
			[]string{"serve"}, []string{"--database-url", "POSTRIDER_DATABASE_URL"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := launch(t, test.environment, test.program, test.args...)
			require.Equal(t, 1, p.exitCode(t))
			said := strings.TrimSuffix(p.Stderr.String(), "\n")
			require.NotContains(t, said, "\n", "one line")
			require.True(t, strings.HasPrefix(said, test.program+": "), said)
			for _, fact := range test.says {
				require.Contains(t, said, fact)
			}
			require.NotContains(t, p.Stdout.String(), "Try it")
		})
	}
}

// TestNoDatabase sees a production process that cannot reach its database say so, without the password.
func TestNoDatabase(t *testing.T) {
	t.Parallel()
	nobody := address(ports.next(t))
	p := launch(t, []string{
		"POSTRIDER_DATABASE_URL=postgres://user:hunter2@" + nobody + "/postrider",
		"POSTRIDER_ENCRYPTION_KEY=" + keyring.NewKey(), "POSTRIDER_ADMIN_KEY=" + models.NewAPIKeyToken(),
	}, "postrider", "serve", "--listen", address(ports.next(t)))
	require.Equal(t, 1, p.exitCode(t))
	said := p.Stderr.String()
	require.True(t, strings.HasPrefix(said, "postrider: open database: "), said)
	require.Contains(t, said, nobody)
	require.Contains(t, said, "connection refused")
	require.NotContains(t, said, "hunter2")
}

// TestDataInUse starts a second process on the data of a running one, which must go on undisturbed.
func TestDataInUse(t *testing.T) {
	t.Parallel()
	p := prepareDev(t)
	p.start(t)
	folder := filepath.Dir(strings.TrimPrefix(p.databaseURL, "sqlite://"))
	second := launch(t, nil, "postrider-dev", "--data-dir", folder, "--listen", address(ports.next(t)),
		"--temporal-port", "0", "--temporal-ui-port", "0", "--receiver", "off")
	require.Equal(t, 1, second.exitCode(t))
	said := strings.TrimSuffix(second.Stderr.String(), "\n")
	require.NotContains(t, said, "\n", "one line")
	require.Contains(t, said, folder)
	p.settled(t)
}
