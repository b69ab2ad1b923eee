package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"go.temporal.io/sdk/client"

	"github.com/postrider/postrider/internal/deployment"
	"github.com/postrider/postrider/internal/keyring"
	"github.com/postrider/postrider/internal/pgcluster"
	"github.com/postrider/postrider/models"
)

// startPatience bounds the start of everything.
const startPatience = 2 * time.Minute

// postgresSettings undo what is for tests only: commits are durable, and tables are vacuumed.
var postgresSettings = []string{
	"fsync=on",
	"autovacuum=on",
	"max_wal_size=1GB",
	"dynamic_shared_memory_type=posix",
	"shared_preload_libraries=pg_stat_statements",
}

// settings are what postrider gets from the environment: one key publishes everything.
func (c *Command) settings() []string {
	return append([]string{"POSTRIDER_RATE_LIMIT=0", "POSTRIDER_LOG_LEVEL=warn"}, c.Setting...)
}

// startProduction starts PostgreSQL, Temporal with its state in it, and `postrider serve`.
func (c *Command) startProduction(ctx context.Context, programs string) (_ *target, err error) {
	t := &target{adminKey: models.NewAPIKeyToken()}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.close())
		}
	}()
	cluster, err := pgcluster.Start(pgcluster.Options{Settings: slices.Concat(postgresSettings, c.PostgresSetting), OnDisk: true})
	if err != nil {
		return t, err
	}
	t.onClose(cluster.Close)
	if err := execute(ctx, cluster.URL(), "CREATE EXTENSION pg_stat_statements"); err != nil {
		return t, fmt.Errorf("PostgreSQL's package of additional modules is missing: %w", err)
	}
	const database = "postrider"
	if err := execute(ctx, cluster.URL(), "CREATE DATABASE "+database); err != nil {
		return t, err
	}
	if t.databaseURL, err = databaseURL(cluster.URL(), database); err != nil {
		return t, err
	}
	home, err := os.MkdirTemp("", "postrider-bench-home-")
	if err != nil {
		return t, err
	}
	t.onClose(func() error { return os.RemoveAll(home) })
	ports, err := freePorts(2 + c.Serves)
	if err != nil {
		return t, err
	}
	d, err := deployment.New(deployment.Config{
		Programs: programs, Home: home, DatabaseURL: t.databaseURL,
		AdminKey: t.adminKey, EncryptionKey: keyring.NewKey(),
		TemporalPort: ports[0], TemporalUIPort: ports[1], APIPorts: ports[2:],
		Settings: c.settings(), TemporalSettings: c.TemporalSetting,
	})
	if err != nil {
		return t, err
	}
	starting, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	if err := d.Migrate(starting); err != nil {
		return t, err
	}
	temporal, err := d.StartTemporal()
	if err != nil {
		return t, err
	}
	t.onClose(func() error { return stop(temporal) })
	if err := d.WaitTemporal(starting, temporal); err != nil {
		return t, err
	}
	if err := c.applyVisibilitySQL(starting, cluster.URL()); err != nil {
		return t, err
	}
	t.parts = []process{{name: "temporal", pid: temporal.PID()}, {name: "postgres", pid: cluster.PID()}}
	for n := range c.Serves {
		serve, err := d.StartServe(n)
		if err != nil {
			return t, err
		}
		t.onClose(func() error { return stop(serve) })
		name := "postrider"
		if c.Serves > 1 {
			name += "-" + strconv.Itoa(n+1)
		}
		t.parts = append(t.parts, process{name: name, pid: serve.PID()})
		if err := d.WaitServe(starting, n, serve); err != nil {
			return t, err
		}
		t.apis = append(t.apis, d.URL(n))
	}
	sortParts(t.parts)
	return t, t.connect(ctx, &client.Options{HostPort: d.TemporalAddress()})
}

// startEmbedded starts postrider-dev: everything in one process, on SQLite.
func (c *Command) startEmbedded(ctx context.Context, programs string) (_ *target, err error) {
	t := &target{adminKey: models.NewAPIKeyToken()}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.close())
		}
	}()
	home, err := os.MkdirTemp("", "postrider-bench-home-")
	if err != nil {
		return t, err
	}
	t.onClose(func() error { return os.RemoveAll(home) })
	ports, err := freePorts(3)
	if err != nil {
		return t, err
	}
	dev, err := deployment.Start(deployment.Command{
		Folder: programs, Name: "postrider-dev",
		Environment: slices.Concat([]string{
			"HOME=" + home, "POSTRIDER_DATA_DIR=" + filepath.Join(home, "data"), "POSTRIDER_RECEIVER=off",
			"POSTRIDER_ADMIN_KEY=" + t.adminKey, "POSTRIDER_LISTEN=" + address(ports[0]),
			"POSTRIDER_TEMPORAL_PORT=" + strconv.Itoa(ports[1]), "POSTRIDER_TEMPORAL_UI_PORT=" + strconv.Itoa(ports[2]),
		}, c.TemporalSetting, c.settings()),
	})
	if err != nil {
		return t, err
	}
	t.onClose(func() error { return stop(dev) })
	t.parts = []process{{name: "postrider-dev", pid: dev.PID()}}
	t.apis = []string{"http://" + address(ports[0])}
	starting, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	for !dev.Stdout.Contains("Admin key") {
		if dev.HasExited() {
			return t, fmt.Errorf("postrider-dev ended: %s", dev.Stderr.Tail())
		}
		if err := pause(starting, pollInterval); err != nil {
			return t, fmt.Errorf("wait for postrider-dev: %w", err)
		}
	}
	return t, t.connect(ctx, &client.Options{HostPort: address(ports[1])})
}

// stop ends a process as an operator does, and by force when it takes too long.
func stop(p *deployment.Process) error {
	const patience = 10 * time.Second
	if err := p.Terminate(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-p.Exited():
	case <-timer.C:
		p.Kill()
	}
	return nil
}

// execute runs statements on a connection of their own.
func execute(ctx context.Context, databaseURL, statements string) error {
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statements)
	return errors.Join(err, conn.Close(ctx))
}

// databaseURL is the URL of another database of a server.
func databaseURL(server, name string) (string, error) {
	parsed, err := url.Parse(server)
	if err != nil {
		return "", err
	}
	parsed.Path = "/" + name
	return parsed.String(), nil
}

// applyVisibilitySQL runs a file of statements in Temporal's visibility database.
func (c *Command) applyVisibilitySQL(ctx context.Context, server string) error {
	if c.VisibilitySQL == "" {
		return nil
	}
	statements, err := os.ReadFile(c.VisibilitySQL)
	if err != nil {
		return fmt.Errorf("--visibility-sql: %w", err)
	}
	visibility, err := databaseURL(server, deployment.VisibilityDatabase)
	if err != nil {
		return err
	}
	if err := execute(ctx, visibility, string(statements)); err != nil {
		return fmt.Errorf("--visibility-sql: %w", err)
	}
	return nil
}

// freePorts finds ports of 127.0.0.1 that nobody uses. They lie below those that systems choose by themselves
// for outgoing connections, so that nobody takes one before its process does.
func freePorts(n int) ([]int, error) {
	const first, last, tries = 20000, 32000, 1000
	var ports []int
	for range tries {
		if len(ports) == n {
			return ports, nil
		}
		port := first + rand.IntN(last-first) //nolint:gosec // no secret
		if slices.Contains(ports, port) {
			continue
		}
		listener, err := net.Listen("tcp", address(port))
		if err != nil {
			continue
		}
		if err := listener.Close(); err != nil {
			return nil, err
		}
		ports = append(ports, port)
	}
	return nil, errors.New("there are no free ports")
}

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

func sortParts(parts []process) {
	slices.SortFunc(parts, func(a, b process) int { return cmp.Compare(a.name, b.name) })
}
