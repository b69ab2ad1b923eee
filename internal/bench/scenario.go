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
)

// scenario is something to measure.
type scenario struct {
	// name is unique; group is what it is asked for by.
	name, group string
	help        string
	run         func(*bench, scenario) (report.Result, error)
	// needs is what it cannot do without.
	needs needs
	// fresh has it run on an installation of its own.
	fresh bool

	// concurrency is of a closed loop, perSecond of an open one.
	concurrency, perSecond int

	// What follows is for publish.

	webhooks int
	// toAll publishes each event to every webhook; otherwise each goes to one, which take turns.
	toAll bool
	reply load.Behaviour
	// schedule is the webhooks' retry schedule; the installation's when nil.
	schedule []string
	// atLeast lengthens the load where less would show nothing.
	atLeast time.Duration
	// counts picks the webhooks whose deliveries are measured; nil for all.
	counts func(webhook int) bool
	// lateness is for how long nothing may arrive before the rest is given up for lost; usualLateness when 0.
	lateness time.Duration
}

// needs is what not every installation has, or shows, or should be used for.
type needs int

const (
	// needsTemporal needs to know where Temporal is.
	needsTemporal needs = iota + 1
	// needsStart fills the database, and needs an installation that is only for measuring.
	needsStart
)

// usualLateness is more than the sweep needs to find a delivery whose start was lost, and a slow webhook to
// get its turn.
const usualLateness = 45 * time.Second

// fastRetries are for receivers that fail on purpose.
var fastRetries = []string{"1s", "2s", "5s", "10s", "10s", "10s", "10s"}

// scenarios are all that there are, in the order in which they run.
func scenarios() []scenario {
	return []scenario{
		// What is set against each other runs one after the other.
		throughput(16), floor(16), throughput(64), floor(64),
		latency(20), latency(50), latency(100),
		fanOut(10, 8), fanOut(1000, 1),
		{
			name: "failing", group: "failing", help: "30 events a second; half of the first attempts fail, retries wait 1 s",
			webhooks: 100, perSecond: 30, schedule: fastRetries, reply: failFirst, run: (*bench).publish,
		},
		slow(50*time.Millisecond, 1), slow(5*time.Second, 100),
		noisy(false), noisy(true),
		inbound(),
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

// noisy is about webhooks that answer while others hang: with half of 200 hanging, and without those. The
// times are of the half that answers, and so is the rate of events to it.
func noisy(hanging bool) scenario {
	s := scenario{
		name: "noisy-without", group: "noisy", help: "10 events a second to 100 webhooks",
		webhooks: 100, perSecond: 10, reply: load.AtOnce, run: (*bench).publish,
		// Long enough for requests that hang to pile up and time out.
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

// failFirst refuses the first attempt of half of the events. Which half does not repeat in step with the
// webhooks, which take turns: the number of ones in a binary number is odd for one of any two neighbours.
func failFirst(_, event int, attempt string) load.Reply {
	if bits.OnesCount(uint(event))%2 == 1 && attempt == "1" {
		return load.Reply{Status: http.StatusInternalServerError}
	}
	return load.Reply{Status: http.StatusOK}
}

// shortDuration is 50ms or 5s.
func shortDuration(d time.Duration) string {
	if d%time.Second == 0 {
		return fmt.Sprintf("%ds", d/time.Second)
	}
	return fmt.Sprintf("%dms", d/time.Millisecond)
}

// chosen picks scenarios by name or group. Without names they are all that can be measured.
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

// drive runs the scenario's loop for a time.
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
