package view

import (
	"net/url"
	"strings"
	"time"

	"github.com/postrider/postrider/models"
)

// System is how the installation is.
type System struct {
	Checks                                    []Check
	Version, GoVersion, PublicURL             string
	Address, Namespace, Identity, TemporalURL string
	// Temporal and Database are nil when they do not answer.
	Temporal             *Temporal
	Database             *models.DatabaseFacts
	Streams, MostStreams int
	Settings             []Setting
}

// Check is one condition of readiness; its outcome is ok, or what is the matter.
type Check struct{ Name, Outcome string }

func (c Check) good() bool { return c.Outcome == "ok" }

// Temporal is what it tells of itself.
type Temporal struct {
	ServerVersion string
	Queues        []Queue
	Schedules     []Schedule
}

// Queue is a task queue. Kind is workflow or activity, Backlog is about how many tasks wait, and Oldest for how long the first
// of them does.
type Queue struct {
	Name, Kind string
	Pollers    []Poller
	Backlog    int64
	Oldest     time.Duration
}

// Poller is a process that asks for tasks.
type Poller struct {
	Identity string
	LastSeen time.Time
}

// Schedule is a Temporal Schedule. Last and Next are zero when there is none.
type Schedule struct {
	ID         string
	Paused     bool
	Runs       int
	Last, Next time.Time
	Running    bool
}

// Setting is one of the configuration. Of a secret, only Set is known.
type Setting struct {
	Flag, Variable, Help, Value string
	Secret, Set                 bool
}

// inTemporal is a page of the namespace in the Temporal Web UI; empty when its address is not known.
func (s System) inTemporal(path ...string) string {
	if s.TemporalURL == "" {
		return ""
	}
	page := strings.TrimSuffix(s.TemporalURL, "/") + "/namespaces/" + url.PathEscape(s.Namespace)
	for _, part := range path {
		page += "/" + url.PathEscape(part)
	}
	return page
}

// upTo is a count that ends at a bound.
func upTo(n, bound int64) string {
	if n > bound {
		return Count(bound) + "+"
	}
	return Count(n)
}

// databaseName is a kind of database as its makers write it.
func databaseName(kind string) string {
	if kind == "sqlite" {
		return "SQLite"
	}
	return "PostgreSQL"
}
