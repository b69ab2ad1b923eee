// Package bench measures an installation: it publishes events, receives what is delivered, compares the two,
// and reports rates, times, and what a delivery costs each process. The installation runs already, or is
// started for the purpose with real processes.
package bench
