// Command postrider-bench measures Postrider: it publishes events, receives what is delivered, compares the
// two and reports rates, times and what a delivery costs. It starts an installation for that, or uses one that
// runs.
package main

import (
	"os"

	"github.com/postrider/postrider/internal/bench"
)

func main() { os.Exit(bench.Main(os.Args[1:], os.Stdout, os.Stderr)) }
