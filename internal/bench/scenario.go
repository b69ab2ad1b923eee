package bench

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/bench/load"
	"github.com/postrider/postrider/internal/bench/report"
	"github.com/postrider/postrider/models"
)

// scenario is something to measure.
type scenario struct {
	// name is unique; group is the name that selects several.
	name, group string
	help        string
	run         func(*bench, scenario) (report.Result, error)
	// needs is what the scenario requires of the installation.
	needs needs
	// fresh starts a new installation for it.
	fresh bool

	// concurrency is for a closed loop, perSecond for an open one.
	concurrency, perSecond int
	// batch is how many events each request of publishing has.
	batch int

	// The fields below are for publish.

	webhooks int
	// toAll publishes each event to every webhook; otherwise each goes to one webhook, in turn.
	toAll bool
	reply load.Behaviour
	// ordered webhooks get one event after the other.
	ordered bool
	// schedule is the webhooks' retry schedule; the installation's when nil.
	schedule []string
	// atLeast is the shortest load that shows anything.
	atLeast time.Duration
	// counts picks the webhooks whose deliveries are measured; nil for all.
	counts func(webhook int) bool
	// lateness is how long to wait without an arrival before the rest counts as lost; usualLateness when 0.
	lateness time.Duration
}

// needs is what a scenario requires that not every installation offers.
type needs int

const (
	// needsTemporal requires Temporal's address.
	needsTemporal needs = iota + 1
	// needsStart requires an installation that is only for measuring, since the scenario fills the database.
	needsStart
)

// usualLateness is more than the sweep needs to find a delivery whose start was lost, and a slow webhook to
// get its turn.
const usualLateness = 45 * time.Second

// fastRetries are for receivers that fail on purpose.
var fastRetries = []string{"1s", "2s", "5s", "10s", "10s", "10s", "10s"}

// scenarios are all scenarios, in the order in which they run.
func scenarios() []scenario {
	return []scenario{
		// Scenarios that are compared run one after the other.
		throughput(16), floor(16), throughput(64), floor(64),
		latency(20), latency(50), latency(100),
		fanOut(10, 8), fanOut(1000, 1),
		{
			name: "failing", group: "failing", help: "30 events a second; half of the first attempts fail, retries wait 1 s",
			webhooks: 100, perSecond: 30, schedule: fastRetries, reply: failFirst, run: (*bench).publish,
		},
		slow(50*time.Millisecond, 1), slow(5*time.Second, 100),
		noisy(false), noisy(true),
		ordered("ordered-without", 20, false), ordered("ordered", 20, true),
		inbound(),
		publishing(1, 16), publishing(models.MaxBatch, 2),
		growth("1k", 1_000), growth("100k", 100_000), growth("1m", 1_000_000),
	}
}

func throughput(concurrency int) scenario {
	return scenario{
		name: fmt.Sprintf("throughput-c%d", concurrency), group: "throughput",
		help:     fmt.Sprintf("closed loop: %d events under way to one webhook", concurrency),
		webhooks: 1, concurrency: concurrency, reply: load.AtOnce, run: (*bench).publish,
	}
}

func latency(perSecond int) scenario {
	return scenario{
		name: fmt.Sprintf("latency-%d", perSecond), group: "latency",
		help:     fmt.Sprintf("open loop: %d events a second to one webhook", perSecond),
		webhooks: 1, perSecond: perSecond, reply: load.AtOnce, run: (*bench).publish,
	}
}

func fanOut(webhooks, concurrency int) scenario {
	return scenario{
		name: fmt.Sprintf("fanout-%d", webhooks), group: "fanout",
		help:     fmt.Sprintf("closed loop: %d events under way, each to %d webhooks", concurrency, webhooks),
		webhooks: webhooks, toAll: true, concurrency: concurrency, reply: load.AtOnce, run: (*bench).publish,
	}
}

func slow(answer time.Duration, webhooks int) scenario {
	return scenario{
		name: fmt.Sprintf("slow-%s", shortDuration(answer)), group: "slow",
		help:     fmt.Sprintf("20 events a second; receivers answer after %s", shortDuration(answer)),
		webhooks: webhooks, perSecond: 20,
		reply: func(int, int, string) load.Reply { return load.Reply{Status: http.StatusOK, After: answer} },
		run:   (*bench).publish,
	}
}

// ordered is about webhooks that get one event after the other, set against the same without an order.
func ordered(name string, webhooks int, inOrder bool) scenario {
	const perSecond = 20
	help := fmt.Sprintf("%d events a second to %d webhooks that take turns", perSecond, webhooks)
	if inOrder {
		help += ", each in the order of publishing"
	}
	return scenario{
		name: name, group: "ordered", help: help, ordered: inOrder,
		webhooks: webhooks, perSecond: perSecond, reply: load.AtOnce, run: (*bench).publish,
	}
}

// noisy measures webhooks that answer while others hang: 200 webhooks of which half hang, then without that half.
// Times and rate are those of the half that answers.
func noisy(hanging bool) scenario {
	s := scenario{
		name: "noisy-without", group: "noisy", help: "10 events a second to 100 webhooks",
		webhooks: 100, perSecond: 10, reply: load.AtOnce, run: (*bench).publish,
		// Long enough for hanging requests to pile up and time out.
		atLeast: 45 * time.Second,
	}
	if !hanging {
		return s
	}
	s.name, s.help = "noisy", "the same, and 10 a second to 100 webhooks that hang; times are of the webhooks that answer"
	s.webhooks, s.perSecond, s.schedule = 2*s.webhooks, 2*s.perSecond, fastRetries
	s.reply = func(webhook, _ int, _ string) load.Reply {
		if healthy(webhook) {
			return load.Reply{Status: http.StatusOK}
		}
		return load.Reply{Status: http.StatusOK, After: time.Minute} // the sender gives up after 30 s
	}
	s.counts = healthy
	return s
}

// healthy webhooks are every other.
func healthy(webhook int) bool { return webhook%2 == 0 }

// failFirst refuses the first attempt of half of the events. It goes by the parity of the one bits in the event's number,
// so that the pattern does not coincide with the order in which webhooks take turns.
func failFirst(_, event int, attempt string) load.Reply {
	if bits.OnesCount(uint(event))%2 == 1 && attempt == "1" {
		return load.Reply{Status: http.StatusInternalServerError}
	}
	return load.Reply{Status: http.StatusOK}
}

// shortDuration prints 50ms or 5s.
func shortDuration(d time.Duration) string {
	if d%time.Second == 0 {
		return fmt.Sprintf("%ds", d/time.Second)
	}
	return fmt.Sprintf("%dms", d/time.Millisecond)
}

// chosen picks scenarios by name or group; without names, all that can be measured here.
func (c *Command) chosen() ([]scenario, error) {
	everything := scenarios()
	if len(c.Scenarios) == 0 {
		return slices.DeleteFunc(everything, func(s scenario) bool { return c.lacks(s) != "" }), nil
	}
	var faults []error
	for _, name := range c.Scenarios {
		if !slices.ContainsFunc(everything, func(s scenario) bool { return s.is(name) }) {
			faults = append(faults, fmt.Errorf("there is no scenario %s; there are %s, and each of their parts such as %s",
				name, strings.Join(groups(everything), ", "), everything[0].name))
		}
	}
	wanted := slices.DeleteFunc(everything, func(s scenario) bool { return !slices.ContainsFunc(c.Scenarios, s.is) })
	for _, s := range wanted {
		if missing := c.lacks(s); missing != "" {
			faults = append(faults, fmt.Errorf("%s needs %s", s.name, missing))
		}
	}
	return wanted, errors.Join(faults...)
}

// lacks names the flag without which a scenario cannot be measured.
func (c *Command) lacks(s scenario) string {
	switch {
	case s.needs == needsStart && !c.Start:
		return "--start"
	case s.needs == needsTemporal && len(c.URL) > 0 && c.TemporalAddress == "":
		return "--temporal-address"
	}
	return ""
}

// drive runs the scenario's loop for the given time.
func (s scenario) drive(ctx context.Context, l *load.Load, duration time.Duration) {
	if s.perSecond > 0 {
		l.Open(ctx, s.perSecond, duration)
		return
	}
	l.Closed(ctx, s.concurrency, duration)
}

func (s scenario) is(name string) bool { return s.name == name || s.group == name }

func groups(all []scenario) []string {
	var names []string
	for _, s := range all {
		if !slices.Contains(names, s.group) {
			names = append(names, s.group)
		}
	}
	return names
}
