package pgcluster

import "os"

// watchdogScript waits for the end of its input, which the kernel brings about when the present process ends in
// whatever way, then stops the server in $1 and removes the folder. What it reads as the server's process must
// be a plain number: initdb writes a negative one there, which kill would take for a group of processes.
const watchdogScript = `
read -r _
read -r pid < "$1/data/postmaster.pid"
case "$pid" in
"" | 0* | *[!0-9]*) ;;
*)
	kill -QUIT "$pid"
	tries=0
	while [ "$tries" -lt 100 ] && kill -0 "$pid"; do
		tries=$((tries + 1))
		sleep 0.1
	done
	;;
esac
rm -rf "$1"
`

// watchdog is a small process that outlives the present process just long enough to clean up after it.
type watchdog struct {
	process *os.Process
	alive   *os.File // the end of the pipe that only this process has
}

func (c *Cluster) startWatchdog() (*watchdog, error) {
	stdin, alive, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer stdin.Close()
	// Not our own output: `go test` would wait for the watchdog to close it.
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	process, err := c.start(stdin, null, "/bin/sh", "-c", watchdogScript, "postrider-postgres-watchdog", c.folder)
	if err != nil {
		return nil, err
	}
	return &watchdog{process: process, alive: alive}, nil
}

// finish lets the watchdog do its work now.
func (w *watchdog) finish() error {
	if err := w.alive.Close(); err != nil {
		return err
	}
	return wait(w.process)
}
