package e2e

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/deployment"
	"github.com/postrider/postrider/internal/keyring"
	"github.com/postrider/postrider/internal/pgcluster"
	"github.com/postrider/postrider/internal/testdb"
	"github.com/postrider/postrider/models"
)

// serveProcesses are how many `postrider serve` share the work.
const serveProcesses = 2

// site is an installation whose every part can be taken away: PostgreSQL, Temporal with its state in it, and
// two `serve`. What ends by itself is started again, as a service manager does.
type site struct {
	t          *testing.T
	cluster    *pgcluster.Cluster
	deployment *deployment.Deployment
	adminKey   string
	temporal   *slot
	serves     [serveProcesses]*slot
}

func newSite(t *testing.T, settings ...string) *site {
	t.Helper()
	cluster := testdb.NewCluster(t)
	s := &site{t: t, cluster: cluster, adminKey: models.NewAPIKeyToken()}
	config := deployment.Config{
		Programs: programFolder, Home: t.TempDir(), DatabaseURL: cluster.URL(),
		AdminKey: s.adminKey, EncryptionKey: keyring.NewKey(),
		TemporalPort: ports.next(t), TemporalUIPort: ports.next(t),
		// Few enough that the test can use them up.
		Settings: append([]string{"POSTRIDER_DATABASE_MAX_CONNECTIONS=10"}, settings...),
	}
	for range serveProcesses {
		config.APIPorts = append(config.APIPorts, ports.next(t))
	}
	var err error
	s.deployment, err = deployment.New(config)
	require.NoError(t, err)
	s.temporal = s.newSlot("temporal", s.deployment.StartTemporal, func(p *deployment.Process) bool {
		return p.Stdout.Contains("Web UI")
	})
	for n := range s.serves {
		s.serves[n] = s.newSlot("serve "+string(rune('1'+n)),
			func() (*deployment.Process, error) { return s.deployment.StartServe(n) },
			func(*deployment.Process) bool { return s.deployment.Ready(t.Context(), n) })
	}
	return s
}

func (s *site) start() {
	s.t.Helper()
	require.NoError(s.t, s.deployment.Migrate(s.t.Context()))
	s.temporal.launch()
	s.temporal.awaitReady()
	for _, serve := range s.serves {
		serve.launch()
	}
	for _, serve := range s.serves {
		serve.awaitReady()
	}
}

// awaitAllReady waits until everything works.
func (s *site) awaitAllReady() {
	s.t.Helper()
	s.temporal.awaitReady()
	for _, serve := range s.serves {
		serve.awaitReady()
	}
}

// restarts counts the processes that ended by themselves.
func (s *site) restarts() int {
	n := s.temporal.ownEnds()
	for _, serve := range s.serves {
		n += serve.ownEnds()
	}
	return n
}

// slot is a place for a process that is kept running.
type slot struct {
	t     *testing.T
	name  string
	run   func() (*deployment.Process, error)
	ready func(*deployment.Process) bool

	mu      sync.Mutex
	process *deployment.Process
	all     []*deployment.Process
	// down says that the process is to stay away.
	down bool
	ends int
}

func (s *site) newSlot(name string, run func() (*deployment.Process, error), ready func(*deployment.Process) bool) *slot {
	slot := &slot{t: s.t, name: name, run: run, ready: ready, down: true}
	ctx, cancel := context.WithCancel(context.Background())
	var supervisor sync.WaitGroup
	supervisor.Go(func() { slot.supervise(ctx) })
	s.t.Cleanup(func() {
		cancel()
		supervisor.Wait()
		for _, process := range slot.all {
			process.Kill()
		}
		if s.t.Failed() && len(slot.all) > 0 {
			s.t.Logf("%s wrote, last:\n%s", name, slot.all[len(slot.all)-1].Stderr.Tail())
		}
	})
	return slot
}

// supervise starts the process again when it ended by itself, after a moment as service managers do.
func (s *slot) supervise(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		s.mu.Lock()
		if !s.down && s.process.HasExited() {
			s.ends++
			s.t.Logf("%s ended by itself: %s", s.name, s.process.Stderr.Tail())
			s.startLocked()
		}
		s.mu.Unlock()
	}
}

func (s *slot) startLocked() {
	process, err := s.run()
	if err != nil {
		s.t.Errorf("start %s: %v", s.name, err)
		return
	}
	s.process, s.down = process, false
	s.all = append(s.all, process)
}

func (s *slot) launch() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.startLocked()
}

func (s *slot) current() *deployment.Process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.process
}

// take gives the process away: it is not started again until launch.
func (s *slot) take() *deployment.Process {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = true
	return s.process
}

func (s *slot) ownEnds() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ends
}

func (s *slot) awaitReady() {
	s.t.Helper()
	eventually(s.t, func() bool { return s.ready(s.current()) }, "%s is not ready", s.name)
}
