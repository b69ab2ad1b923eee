package e2e

import (
	"flag"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var (
	chaosSeed  = flag.Uint64("chaos.seed", 0, "seed of TestChaos; 0 takes another one every time")
	chaosKills = flag.Int("chaos.kills", 0, "how many processes TestChaos kills; 0 is a short run with every quick fault once")
	chaosRate  = flag.Float64("chaos.rate", 8, "events that TestChaos publishes each second")
	chaosFirst = flag.String("chaos.first-attempt", "workflow", "who makes first attempts in a long run of TestChaos: workflow or direct")
	chaosQuick = flag.Bool("chaos.quick", false, "leave the faults that take minutes out of a long run of TestChaos")
)

const (
	// recoveryBound is the most that a delivery may need after a kill.
	recoveryBound = 30 * time.Second
	// settlePatience bounds the wait for a delivery that is late, before it counts as lost.
	settlePatience = 4 * time.Minute
	// The durations of faults that are not a kill.
	pauseFor, poolFullFor, outageFor = 15 * time.Second, 10 * time.Second, 60 * time.Second
)

// TestChaos publishes events at a steady rate to two `serve` on PostgreSQL, with Temporal on PostgreSQL in a
// process of its own, while one part after the other is killed, stopped or starved, in an order that the
// seed decides. At the end it compares what was accepted with what was received: nothing may be lost, each
// duplicate must have a kill during its attempt, and after a kill no delivery may take more than 30 seconds.
func TestChaos(t *testing.T) {
	t.Parallel()
	if *chaosKills > 0 {
		chaos(t, *chaosFirst)
		return
	}
	for _, firstAttempt := range []string{"workflow", "direct"} {
		t.Run(firstAttempt, func(t *testing.T) {
			t.Parallel()
			chaos(t, firstAttempt)
		})
	}
}

func chaos(t *testing.T, firstAttempt string) {
	t.Helper()
	seed := *chaosSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("seed %d: repeat with -chaos.seed=%d -chaos.kills=%d -chaos.rate=%g -chaos.first-attempt=%s",
		seed, seed, *chaosKills, *chaosRate, firstAttempt)
	random := rand.New(rand.NewPCG(seed, 0))
	plan := chaosPlan(random, *chaosKills, *chaosQuick)

	s := newSite(t, "POSTRIDER_FIRST_ATTEMPT="+firstAttempt)
	s.start()
	load := newLoad(t, s, seed, *chaosRate)
	load.start()
	load.awaitDeliveries(10) // everything is warm

	var faults []*fault
	for i, kind := range plan {
		f := kind.inflict(s, random)
		load.settle(f.restored)
		f.settled = time.Now()
		faults = append(faults, f)
		t.Logf("%3d  %s", i+1, load.describe(f))
	}
	load.stop()
	result := reconcile(s, load, faults)
	t.Logf("seed %d\n%s", seed, result.table())

	require.Empty(t, result.lost, "lost deliveries")
	require.Empty(t, result.unexplained, "duplicates without a fault during their attempt")
	require.Empty(t, result.unfinished, "deliveries that the log does not show as delivered")
	require.Zero(t, result.in(rollingRestart).duplicates, "duplicates in the rolling restart")
	if *chaosKills == 0 {
		return // beside the other tests, times say little
	}
	for _, f := range faults {
		require.LessOrEqual(t, load.slowest(f), recoveryBound, "slowest delivery after %s", f)
	}
}

// chaosPlan is the order of the faults. A short run has each quick one once; a long run has the number of
// kills, and of the others each at a random place.
func chaosPlan(random *rand.Rand, kills int, quick bool) []*faultKind {
	if kills == 0 {
		plan := []*faultKind{killServe, killTemporal, killPostgres, rollingRestart}
		random.Shuffle(len(plan), func(i, j int) { plan[i], plan[j] = plan[j], plan[i] })
		return plan
	}
	var plan []*faultKind
	others := []*faultKind{pauseServe, pauseTemporal, poolFull, rollingRestart, temporalAway, postgresAway}
	if quick {
		others = []*faultKind{rollingRestart}
	}
	// A serve is killed as often as Temporal and PostgreSQL together: there are two.
	for i := range kills {
		plan = append(plan, []*faultKind{killServe, killTemporal, killServe, killPostgres}[i%4])
	}
	plan = append(plan, others...)
	random.Shuffle(len(plan), func(i, j int) { plan[i], plan[j] = plan[j], plan[i] })
	return plan
}
