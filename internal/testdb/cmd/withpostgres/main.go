// Command withpostgres runs a command with a PostgreSQL server for its tests, so that the packages of one
// `go test` share one server instead of starting one each:
//
//	withpostgres go test ./...
//
// It exits with the command's exit code. Where the environment names a server already, it starts none.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/postrider/postrider/internal/pgcluster"
	"github.com/postrider/postrider/internal/testdb"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	code, err := run(ctx, os.Args[1:], os.Getenv(testdb.URLVariable), os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "withpostgres:", err)
	}
	os.Exit(code)
}

// run runs the command against the server, or against a new one where server is empty.
func run(ctx context.Context, command []string, server string, stdout, stderr io.Writer) (code int, err error) {
	if len(command) == 0 {
		return 2, errors.New("usage: withpostgres command [argument ...]")
	}
	if server == "" {
		cluster, err := pgcluster.Start(pgcluster.Options{})
		if err != nil {
			return 1, err
		}
		defer func() {
			if closing := cluster.Close(); closing != nil {
				code, err = 1, errors.Join(err, closing)
			}
		}()
		server = cluster.URL()
	}
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, stdout, stderr
	cmd.Env = append(os.Environ(), testdb.URLVariable+"="+server)
	// The command gets the chance to stop what it started.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && exit.Exited():
		return exit.ExitCode(), nil // the command has said why
	case err != nil:
		return 1, err
	}
	return 0, nil
}
