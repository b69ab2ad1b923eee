// Package timing holds the times whose order matters, wherever they are used. The reasons stand in the test beside it,
// which compares them.
package timing

import "time"

// WorkflowTask is how long Temporal waits for a workflow task, and so for a first attempt inside one, before another
// worker repeats it. It is Temporal's default.
const WorkflowTask = 10 * time.Second

// An attempt.
const (
	// AttemptActivity is the time limit of the activity that makes an attempt: waiting for its moment, the request, and
	// writing the log.
	AttemptActivity = 90 * time.Second
	// Heartbeat is how often a running activity tells Temporal that its process lives, and HeartbeatTimeout after how
	// long without that Temporal repeats the activity.
	Heartbeat        = 3 * time.Second
	HeartbeatTimeout = 10 * time.Second
	// PublishedJob is how long an attempt may use what was read when its event was published.
	PublishedJob = 2 * time.Second
	// Record bounds one try to write the log within an attempt.
	Record = 10 * time.Second
	// Hanging is how long a webhook may keep a request before the next one makes a detour.
	Hanging = 2 * time.Second
	// ReservationLead is how early an attempt under a rate limit begins, to wait for its moment in the process: a
	// durable timer is not exact enough.
	ReservationLead = 2 * time.Second
	// ReservationLate is how late it may be, or half of the time between two requests where that is longer. An attempt
	// that comes later reserves a new moment.
	ReservationLate = 100 * time.Millisecond
	// DueSoon is how much before its time an attempt may begin that is to be made later: it waits for the rest in the
	// process, which a timer of Temporal would cost more.
	DueSoon = time.Second
	// StaleRateLimit is how long after a change of a rate limit an attempt may still ask by the old one, because it
	// read the webhook before.
	StaleRateLimit = time.Minute
	// WorkerStop is how long a stopping process waits for the attempts under way: as long as the longest may take. It
	// takes no longer than they do.
	WorkerStop = 65 * time.Second
	// TestWait is how long the caller of a webhook's test waits for its attempt.
	TestWait = 75 * time.Second
)

// First attempts without a workflow, and the sweep that takes over from a process that died.
const (
	// Lease is how long a sweep leaves a delivery to the process that published it, LeaseExtension how often a process
	// extends the leases of attempts that take longer.
	Lease          = 10 * time.Second
	LeaseExtension = 3 * time.Second
	// RoomWait is how long a publisher waits for memory for its first attempts.
	RoomWait = time.Second
	// SlotPatience is how long a first attempt waits for a slot in its lane.
	SlotPatience = time.Second
	// LookAgain is how long a resend waits at most before it looks again whether the first attempt has been made.
	LookAgain = 2 * time.Second
	// Postpone is how long the sweep leaves a delivery alone at least that waits for capacity.
	Postpone = 10 * time.Minute
	// InboundPage is how long a page of inbound events may take if another one is to follow in the same sweep. A long
	// backlog must not keep the sweep from deliveries.
	InboundPage = 5 * time.Second
)

// Deleting what is old, or was an owner's.
const (
	// Purge is how long one activity goes on deleting, PurgeHeartbeat how long one batch may take, and PurgeActivity
	// the activity.
	Purge          = 30 * time.Second
	PurgeHeartbeat = time.Minute
	PurgeActivity  = 2 * time.Minute
	// Settling is how long a deletion waits for what was under way when its owner was deleted: attempts, requests that
	// were just accepted, starts of workflows.
	Settling = 90 * time.Second
)
