// Package e2e shows that Postrider keeps its promises, from the outside and with real parts only: the real
// programs as processes of their own, killed and stopped with real signals, the embedded Temporal server,
// PostgreSQL and SQLite, and HTTP and SMTP servers on loopback that play receivers and owners.
//
// Every story is told on two deployments. "dev" is postrider-dev, everything in one process on SQLite.
// "production" is `postrider serve` on PostgreSQL with a Temporal server in a process of its own.
//
// TestChaos, the fault harness, has a deployment of its own: two `serve`, and a Temporal whose state is in the
// same PostgreSQL server.
//
// The package holds tests only. They must not run with -race: they link the embedded Temporal server. What
// a process wrote is printed when its test fails.
package e2e
