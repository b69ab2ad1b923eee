// Package bench is the command postrider-bench: it runs scenarios on an installation and reports rates, times, and what
// a delivery costs each process. The packages below it publish and receive (load), read what processes use
// (measuring), write the figures (report), and start an installation (installation).
package bench
