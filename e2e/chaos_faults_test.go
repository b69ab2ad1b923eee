package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// faultKind is something that goes wrong.
type faultKind struct {
	name string
	// kill says that a process dies: the bound for deliveries counts from there. For all others it counts from
	// the end of the fault.
	kill bool
	// harmless says that nothing may arrive twice.
	harmless bool
	do       func(s *site, random *rand.Rand, f *fault)
}

// fault is one that happened.
type fault struct {
	kind *faultKind
	what string
	// at is when it began, restored when everything ran again, settled when everything accepted before that
	// had arrived.
	at, restored, settled time.Time
}

// String names it.
func (f *fault) String() string { return fmt.Sprintf("%s at %s", f.what, f.at.Format("15:04:05")) }

// base is the moment from which the bound for deliveries counts.
func (f *fault) base() time.Time {
	if f.kind.kill {
		return f.at
	}
	return f.restored
}

var (
	killServe = &faultKind{name: "kill serve", kill: true, do: func(s *site, random *rand.Rand, f *fault) {
		s.killed(s.serves[random.IntN(serveProcesses)], moment(random), f)
	}}
	killTemporal = &faultKind{name: "kill Temporal", kill: true, do: func(s *site, random *rand.Rand, f *fault) {
		s.killed(s.temporal, moment(random), f)
	}}
	killPostgres = &faultKind{name: "kill PostgreSQL", kill: true, do: func(s *site, random *rand.Rand, f *fault) {
		s.killedPostgres(moment(random), f)
	}}
	pauseServe = &faultKind{name: "pause serve 15 s", do: func(s *site, random *rand.Rand, f *fault) {
		s.paused(s.serves[random.IntN(serveProcesses)], f)
	}}
	pauseTemporal = &faultKind{name: "pause Temporal 15 s", do: func(s *site, _ *rand.Rand, f *fault) {
		s.paused(s.temporal, f)
	}}
	poolFull = &faultKind{name: "pool full 10 s", do: func(s *site, _ *rand.Rand, f *fault) {
		s.poolFull(f)
	}}
	rollingRestart = &faultKind{name: "rolling restart", harmless: true, do: func(s *site, _ *rand.Rand, f *fault) {
		s.rollingRestart(f)
	}}
	temporalAway = &faultKind{name: "Temporal away 60 s", do: func(s *site, _ *rand.Rand, f *fault) {
		s.killed(s.temporal, outageFor, f)
	}}
	postgresAway = &faultKind{name: "PostgreSQL away 60 s", do: func(s *site, _ *rand.Rand, f *fault) {
		s.killedPostgres(outageFor, f)
	}}
)

// inflict lets it happen, after a moment, and returns when everything runs again.
func (k *faultKind) inflict(s *site, random *rand.Rand) *fault {
	s.t.Helper()
	s.wait(moment(random))
	f := &fault{kind: k, what: k.name, at: time.Now()}
	k.do(s, random, f)
	s.awaitAllReady()
	f.restored = time.Now()
	return f
}

// moment is up to two seconds.
func moment(random *rand.Rand) time.Duration {
	return time.Duration(random.Int64N(int64(2 * time.Second)))
}

// wait lets time pass, which is what this test is about.
func (s *site) wait(d time.Duration) {
	s.t.Helper()
	select {
	case <-time.After(d):
	case <-s.t.Context().Done():
	}
}

func (s *site) killed(victim *slot, away time.Duration, f *fault) {
	s.t.Helper()
	f.what = fmt.Sprintf("kill %s, away %.1f s", victim.name, away.Seconds())
	victim.take().Kill()
	s.wait(away)
	victim.launch()
}

func (s *site) killedPostgres(away time.Duration, f *fault) {
	s.t.Helper()
	f.what = fmt.Sprintf("kill PostgreSQL, away %.1f s", away.Seconds())
	require.NoError(s.t, s.cluster.Kill())
	s.wait(away)
	require.NoError(s.t, s.cluster.Start())
}

func (s *site) paused(victim *slot, f *fault) {
	s.t.Helper()
	f.what = fmt.Sprintf("pause %s, %.0f s", victim.name, pauseFor.Seconds())
	process := victim.current()
	require.NoError(s.t, process.Pause())
	s.wait(pauseFor)
	require.NoError(s.t, process.Resume())
}

// poolFull makes every statement on deliveries wait, until all connections of all pools do.
func (s *site) poolFull(f *fault) {
	s.t.Helper()
	f.what = fmt.Sprintf("pool full, %.0f s", poolFullFor.Seconds())
	conn, err := pgx.Connect(s.t.Context(), s.cluster.URL())
	require.NoError(s.t, err)
	defer func() { require.NoError(s.t, conn.Close(context.WithoutCancel(s.t.Context()))) }()
	tx, err := conn.Begin(s.t.Context())
	require.NoError(s.t, err)
	_, err = tx.Exec(s.t.Context(), "LOCK TABLE deliveries IN ACCESS EXCLUSIVE MODE")
	require.NoError(s.t, err)
	s.wait(poolFullFor)
	require.NoError(s.t, tx.Rollback(s.t.Context()))
}

// rollingRestart replaces one `serve` after the other, in good order.
func (s *site) rollingRestart(*fault) {
	s.t.Helper()
	for _, serve := range s.serves {
		process := serve.take()
		require.NoError(s.t, process.Terminate())
		eventually(s.t, process.HasExited, "%s does not end", serve.name)
		require.Zero(s.t, process.ExitCode())
		serve.launch()
		serve.awaitReady()
	}
}
