package bench

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// scenario is something to measure.
type scenario struct {
	// name is unique; group is what it is asked for by.
	name, group string
	help        string
	run         func(*bench, scenario) (Result, error)

	// What follows is for publish.

	webhooks int
	// toAll publishes each event to every webhook; otherwise each goes to one, which take turns.
	toAll bool
	drive driver
	reply behaviour
	// schedule is the webhooks' retry schedule; the installation's when nil.
	schedule []string
	// counts picks the webhooks whose deliveries are measured; nil for all.
	counts func(webhook int) bool
	// lateness is for how long nothing may arrive before the rest is given up for lost.
	lateness time.Duration
}

// usualLateness is more than the sweep needs to find a delivery whose start was lost, and a slow webhook to
// get its turn.
const usualLateness = 45 * time.Second

// fastRetries are for receivers that fail on purpose.
var fastRetries = []string{"1s", "2s", "5s", "10s", "10s", "10s", "10s"}

// scenarios are all that there are, in the order in which they run.
func scenarios() []scenario {
	return slices.Concat(
		[]scenario{
			throughput(16), throughput(64),
			latency(20), latency(50), latency(100),
			fanOut(10, 8), fanOut(1000, 1),
			{
				name: "failing", group: "failing", help: "30 events a second; half of the first attempts fail, retries wait 1 s",
				webhooks: 100, drive: openLoop(30), schedule: fastRetries, reply: failFirst, run: (*bench).publish,
			},
			slow(50*time.Millisecond, 1), slow(5*time.Second, 100),
		},
		floors(),
	)
}

func throughput(concurrency int) scenario {
	return scenario{
		name: fmt.Sprintf("throughput-c%d", concurrency), group: "throughput",
		help:     fmt.Sprintf("closed loop: %d events under way to one webhook", concurrency),
		webhooks: 1, drive: closedLoop(concurrency), reply: atOnce, run: (*bench).publish,
	}
}

func latency(perSecond int) scenario {
	return scenario{
		name: fmt.Sprintf("latency-%d", perSecond), group: "latency",
		help:     fmt.Sprintf("open loop: %d events a second to one webhook", perSecond),
		webhooks: 1, drive: openLoop(perSecond), reply: atOnce, run: (*bench).publish,
	}
}

func fanOut(webhooks, concurrency int) scenario {
	return scenario{
		name: fmt.Sprintf("fanout-%d", webhooks), group: "fanout",
		help:     fmt.Sprintf("closed loop: %d events under way, each to %d webhooks", concurrency, webhooks),
		webhooks: webhooks, toAll: true, drive: closedLoop(concurrency), reply: atOnce, run: (*bench).publish,
	}
}

func slow(answer time.Duration, webhooks int) scenario {
	return scenario{
		name: fmt.Sprintf("slow-%s", shortDuration(answer)), group: "slow",
		help:     fmt.Sprintf("20 events a second; receivers answer after %s", shortDuration(answer)),
		webhooks: webhooks, drive: openLoop(20),
		reply: func(int, int, string) reply { return reply{status: http.StatusOK, after: answer} },
		run:   (*bench).publish,
	}
}

// failFirst refuses the first attempt of every other event.
func failFirst(_, event int, attempt string) reply {
	if event%2 == 1 && attempt == "1" {
		return reply{status: http.StatusServiceUnavailable}
	}
	return reply{status: http.StatusOK}
}

// shortDuration is 50ms or 5s.
func shortDuration(d time.Duration) string {
	if d%time.Second == 0 {
		return fmt.Sprintf("%ds", d/time.Second)
	}
	return fmt.Sprintf("%dms", d/time.Millisecond)
}

// chosen picks scenarios by name or group; none are all.
func chosen(names []string) ([]scenario, error) {
	everything := scenarios()
	if len(names) == 0 {
		return everything, nil
	}
	var unknown []string
	for _, name := range names {
		if !slices.ContainsFunc(everything, func(s scenario) bool { return s.is(name) }) {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) > 0 {
		return nil, fmt.Errorf("there is no scenario %s; there are %s, and each of their parts such as %s",
			strings.Join(unknown, ", "), strings.Join(groups(everything), ", "), everything[0].name)
	}
	return slices.DeleteFunc(everything, func(s scenario) bool { return !slices.ContainsFunc(names, s.is) }), nil
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
