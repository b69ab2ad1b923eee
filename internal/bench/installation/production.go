package installation

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/postrider/postrider/internal/bench/measuring"
	"github.com/postrider/postrider/internal/deployment"
	"github.com/postrider/postrider/internal/keyring"
	"github.com/postrider/postrider/internal/pgcluster"
	"github.com/postrider/postrider/models"
)

const (
	// startPatience bounds the start of everything; startInterval is how often a wait for it looks.
	startPatience = 2 * time.Minute
	startInterval = 50 * time.Millisecond
)

// postgresSettings undo what is for tests only: commits are durable, and tables are vacuumed.
var postgresSettings = []string{
	"fsync=on",
	"autovacuum=on",
	"max_wal_size=1GB",
	"dynamic_shared_memory_type=posix",
	"shared_preload_libraries=pg_stat_statements",
}

// Options say what to start.
type Options struct {
	// Programs is the folder of postrider and postrider-dev.
	Programs string
	// Serves is how many postrider serve there are.
	Serves int
	// Settings and TemporalSettings are environment variables, NAME=VALUE; PostgresSettings are lines of
	// postgresql.conf.
	Settings, TemporalSettings, PostgresSettings []string
	// VisibilitySQL is a file of statements to run in Temporal's visibility database; none when empty.
	VisibilitySQL string
}

// settings are what postrider gets from the environment: one key publishes everything.
func (o *Options) settings() []string {
	return append([]string{"POSTRIDER_RATE_LIMIT=0", "POSTRIDER_LOG_LEVEL=warn"}, o.Settings...)
}

// StartProduction starts PostgreSQL, Temporal with its state in it, and `postrider serve`.
func StartProduction(ctx context.Context, options Options) (_ *Installation, err error) {
	t := &Installation{AdminKey: models.NewAPIKeyToken()}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.Close())
		}
	}()
	cluster, err := t.startPostgres(ctx, options)
	if err != nil {
		return nil, err
	}
	home, err := t.makeHome()
	if err != nil {
		return nil, err
	}
	ports, err := freePorts(2 + options.Serves)
	if err != nil {
		return nil, err
	}
	d, err := deployment.New(deployment.Config{
		Programs: options.Programs, Home: home, DatabaseURL: t.DatabaseURL,
		AdminKey: t.AdminKey, EncryptionKey: keyring.NewKey(),
		TemporalPort: ports[0], TemporalUIPort: ports[1], APIPorts: ports[2:],
		Settings: options.settings(), TemporalSettings: options.TemporalSettings,
	})
	if err != nil {
		return nil, err
	}
	starting, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	if err := d.Migrate(starting); err != nil {
		return nil, err
	}
	if err := t.startTemporal(starting, d); err != nil {
		return nil, err
	}
	if err := applyVisibilitySQL(starting, options.VisibilitySQL, cluster.URL()); err != nil {
		return nil, err
	}
	if err := t.startServes(starting, d, options.Serves); err != nil {
		return nil, err
	}
	sortParts(t.Parts)
	return t, t.connect(ctx, &client.Options{HostPort: d.TemporalAddress()})
}

// startPostgres starts a server with an empty database for Postrider.
func (t *Installation) startPostgres(ctx context.Context, options Options) (*pgcluster.Cluster, error) {
	settings := slices.Concat(postgresSettings, options.PostgresSettings)
	cluster, err := pgcluster.Start(pgcluster.Options{Settings: settings, OnDisk: true})
	if err != nil {
		return nil, err
	}
	t.onClose(cluster.Close)
	t.Parts = append(t.Parts, measuring.Process{Name: "postgres", PID: cluster.PID()})
	if err := execute(ctx, cluster.URL(), "CREATE EXTENSION pg_stat_statements"); err != nil {
		return nil, fmt.Errorf("PostgreSQL's package of additional modules is missing: %w", err)
	}
	const database = "postrider"
	if err := execute(ctx, cluster.URL(), "CREATE DATABASE "+database); err != nil {
		return nil, err
	}
	t.DatabaseURL, err = databaseURL(cluster.URL(), database)
	return cluster, err
}

// makeHome makes a home folder for the processes, which goes with the installation.
func (t *Installation) makeHome() (string, error) {
	home, err := os.MkdirTemp("", "postrider-bench-home-")
	if err == nil {
		t.onClose(func() error { return os.RemoveAll(home) })
	}
	return home, err
}

func (t *Installation) startTemporal(ctx context.Context, d *deployment.Deployment) error {
	temporal, err := d.StartTemporal()
	if err != nil {
		return err
	}
	t.onClose(func() error { return stop(temporal) })
	t.Parts = append(t.Parts, measuring.Process{Name: "temporal", PID: temporal.PID()})
	return d.WaitTemporal(ctx, temporal)
}

func (t *Installation) startServes(ctx context.Context, d *deployment.Deployment, serves int) error {
	for n := range serves {
		serve, err := d.StartServe(n)
		if err != nil {
			return err
		}
		t.onClose(func() error { return stop(serve) })
		name := "postrider"
		if serves > 1 {
			name += "-" + strconv.Itoa(n+1)
		}
		t.Parts = append(t.Parts, measuring.Process{Name: name, PID: serve.PID()})
		if err := d.WaitServe(ctx, n, serve); err != nil {
			return err
		}
		t.APIs = append(t.APIs, d.URL(n))
	}
	return nil
}

// stop sends SIGTERM as an operator does, and kills the process if it takes too long.
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
