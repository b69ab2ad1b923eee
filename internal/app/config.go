// Package app is the composition root: it reads the configuration, connects the parts and runs them as
// processes. It is the only package that knows every other one, except the embedded Temporal server, which
// its caller brings along so that the production binary does not carry it.
package app

import "errors"

// Version of Postrider: receivers see it in the User-Agent.
const Version = "0.1.0"

// Settings are all flags of a process that serves the API, works on deliveries, or both.
type Settings struct {
	Serving
	Limits
	Database
	Keys
	Sending
	Logging
}

// check reports every fault at once.
func (s Settings) check() error {
	var faults []error
	faults = append(faults, s.Serving.faults()...)
	faults = append(faults, s.Limits.faults()...)
	faults = append(faults, s.Database.faults()...)
	faults = append(faults, s.Keys.faults()...)
	faults = append(faults, s.Sending.faults()...)
	return errors.Join(faults...)
}
