// Package pgcluster starts PostgreSQL servers that nobody else uses: throwaway ones for tests, and durable ones
// for measuring. It needs a Unix system and an installed PostgreSQL.
package pgcluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// throwaway are the settings of a server whose data nobody will miss. They give up safety against a crash of the
// machine for speed. Committed data still survive a crash of the server: tests of faults rely on that.
var throwaway = []string{
	"fsync=off",
	"autovacuum=off", // would come between short-lived databases and their end
	"max_connections=300",
	"max_wal_size=256MB",
	"listen_addresses=",
	"log_checkpoints=off",
	"dynamic_shared_memory_type=mmap", // in the folder, so that it goes with it
}

// Cluster is a PostgreSQL server that can be stopped, killed and started again with its data. It listens on a
// Unix socket only, so that it needs no free port and no other user of the machine can connect. Its methods
// must not be called at the same time.
type Cluster struct {
	programs   programs
	credential *syscall.Credential // nil: the server runs as the present user
	folder     string              // holds the data, the log and the socket
	settings   []string
	watchdog   *watchdog
	server     *os.Process // nil while the server is stopped
}

// Options say how a server differs from a throwaway one.
type Options struct {
	// Settings are lines of postgresql.conf, such as fsync=on. They override the settings of a throwaway server; of
	// two lines for the same setting the last one counts.
	Settings []string
	// OnDisk keeps the data on a disk also where there is room in memory.
	OnDisk bool
}

// Start starts a server with empty data. The caller closes it. If the process ends first, a watchdog stops the
// server and removes its data. The error is ErrNotInstalled when there is no PostgreSQL.
func Start(options Options) (*Cluster, error) {
	programs, err := findPrograms(places...)
	if err != nil {
		return nil, err
	}
	credential, err := serverCredential()
	if err != nil {
		return nil, err
	}
	folder, err := makeFolder(credential, options.OnDisk)
	if err != nil {
		return nil, fmt.Errorf("make the cluster's folder: %w", err)
	}
	c := &Cluster{
		programs: programs, credential: credential, folder: folder,
		settings: slices.Concat(throwaway, options.Settings),
	}
	if c.watchdog, err = c.startWatchdog(); err != nil {
		return nil, errors.Join(fmt.Errorf("start the cluster's watchdog: %w", err), os.RemoveAll(folder))
	}
	if err := c.initialize(); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	if err := c.Start(); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// URL returns the postgres:// URL of the server's database "postgres", which is empty at first, as a user who
// may do everything. It stays the same when the server starts again.
func (c *Cluster) URL() string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.User("postgres"),
		Path:     "/postgres",
		RawQuery: url.Values{"host": {c.folder}}.Encode(),
	}
	return u.String()
}

// PID is the server's process, whose children serve its connections; 0 while it is stopped.
func (c *Cluster) PID() int {
	if c.server == nil {
		return 0
	}
	return c.server.Pid
}

// Start starts the server after Stop or Kill, and returns once it takes connections. It does nothing while
// the server runs.
func (c *Cluster) Start() error {
	if c.server != nil {
		return nil
	}
	var err error
	poll(func() bool {
		err = c.startOnce()
		// A killed server's last processes may hold on to its memory for a moment.
		return err == nil || !strings.Contains(err.Error(), "shared memory block")
	})
	if err != nil {
		return fmt.Errorf("start PostgreSQL: %w", err)
	}
	return nil
}

// Stop ends the server in good order: it closes its connections and writes its data. It does nothing while
// the server is stopped.
func (c *Cluster) Stop() error {
	return c.end("stop", syscall.SIGINT)
}

// Kill ends the server and all of its processes at once with SIGKILL. To its clients and its data that is a
// crash: connections break off, and the next Start has to recover. It does nothing while the server is
// stopped.
func (c *Cluster) Kill() error {
	if c.server == nil {
		return nil
	}
	// Stopped, the server cannot start processes that the list misses.
	if err := c.server.Signal(syscall.SIGSTOP); err != nil {
		return fmt.Errorf("kill PostgreSQL: %w", err)
	}
	children := childrenOf(c.server.Pid)
	err := c.end("kill", syscall.SIGKILL)
	if childrenErr := killAll(children); childrenErr != nil {
		err = errors.Join(err, fmt.Errorf("kill PostgreSQL: %w", childrenErr))
	}
	return err
}

// Close ends the server and removes its data.
func (c *Cluster) Close() error {
	err := c.end("close", syscall.SIGQUIT) // at once: nothing is going to be recovered
	return errors.Join(err, os.RemoveAll(c.folder), c.watchdog.finish())
}

func (c *Cluster) initialize() error {
	initdb, err := c.launch(c.programs.initdb, "--pgdata", c.data(), "--username=postgres",
		"--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
	if err != nil {
		return fmt.Errorf("run initdb: %w", err)
	}
	if err := wait(initdb); err != nil {
		return fmt.Errorf("run initdb: %w%s", err, c.lastLog())
	}
	return nil
}

// startOnce starts the server and waits until it takes connections. Its error holds the end of the log.
func (c *Cluster) startOnce() error {
	args := []string{"-D", c.data(), "-k", c.folder, "-p", "5432"}
	for _, setting := range c.settings {
		args = append(args, "-c", setting)
	}
	server, err := c.launch(c.programs.postgres, args...)
	if err != nil {
		return err
	}
	ended := false
	ready := poll(func() bool {
		ended = exited(server)
		return ended || connects(c.URL())
	})
	if ended {
		return errors.New("it ended" + c.lastLog())
	}
	c.server = server
	if !ready {
		return errors.Join(errors.New("it takes no connections"+c.lastLog()), c.Kill())
	}
	return nil
}

// launch starts a program without input; its output goes to a new log.
func (c *Cluster) launch(program string, args ...string) (*os.Process, error) {
	output, err := c.openLog()
	if err != nil {
		return nil, err
	}
	defer output.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	return c.start(null, output, program, args...)
}

// end sends the signal and waits for the server's end.
func (c *Cluster) end(operation string, signal syscall.Signal) error {
	if c.server == nil {
		return nil
	}
	if err := c.server.Signal(signal); err != nil {
		return fmt.Errorf("%s PostgreSQL: %w", operation, err)
	}
	if !poll(func() bool { return exited(c.server) }) {
		return fmt.Errorf("%s PostgreSQL: process %d does not end%s", operation, c.server.Pid, c.lastLog())
	}
	c.server = nil
	return nil
}

func (c *Cluster) data() string { return filepath.Join(c.folder, "data") }

// openLog empties the log, so that lastLog tells of the latest start only.
func (c *Cluster) openLog() (*os.File, error) {
	return os.OpenFile(c.logFile(), os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o600)
}

func (c *Cluster) logFile() string { return filepath.Join(c.folder, "log") }

// lastLog returns the end of the server's log, for an error message.
func (c *Cluster) lastLog() string {
	log, err := os.ReadFile(c.logFile())
	if err != nil {
		return ""
	}
	return "; its log ends with:\n" + string(bytes.TrimSpace(log[max(0, len(log)-2000):]))
}

func connects(url string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return false
	}
	return conn.Close(ctx) == nil
}
