package devserver_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/postrider/postrider/internal/devserver"
)

const (
	queue = "test"
	// childEnv makes the test binary run one server under the orders of its
	// standard input. Its value is the data directory or the database's URL.
	childEnv = "POSTRIDER_DEVSERVER_CHILD"
	// patience is how long a test waits for something that must happen.
	patience = time.Minute
)

func TestMain(m *testing.M) {
	if data, ok := os.LookupEnv(childEnv); ok {
		os.Exit(runChild(data, os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
}

// runChild obeys "start" and "stop", one per line, and answers every order
// with one line: "ok", after start with the server's addresses, or the error.
func runChild(data string, in io.Reader, out io.Writer) int {
	var server *devserver.Server
	orders := bufio.NewScanner(in)
	for orders.Scan() {
		var err error
		answer := "ok"
		switch orders.Text() {
		case "start":
			if server, err = devserver.Start(context.Background(), on(data)); err == nil {
				answer = fmt.Sprintf("ok %s %s", server.Address(), server.UIURL())
			}
		case "stop":
			err = server.Stop()
		}
		if err != nil {
			answer = err.Error()
		}
		if _, err := fmt.Fprintln(out, answer); err != nil {
			return 1
		}
	}
	return 0
}

// on is the configuration of a server that keeps its data in a directory or in
// the database of a URL.
func on(data string) devserver.Config {
	if strings.HasPrefix(data, "postgres://") {
		return devserver.Config{DatabaseURL: data}
	}
	return devserver.Config{DataDir: data}
}

// child is a process that runs a server.
type child struct {
	t       *testing.T
	cmd     *exec.Cmd
	orders  io.Writer
	answers *bufio.Scanner
}

func newChild(t *testing.T, data string) *child {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+data)
	cmd.Stderr = os.Stderr
	orders, err := cmd.StdinPipe()
	require.NoError(t, err)
	answers, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	c := &child{t: t, cmd: cmd, orders: orders, answers: bufio.NewScanner(answers)}
	t.Cleanup(c.kill)
	return c
}

// do gives an order and returns the words after the answer's "ok".
func (c *child) do(order string) []string {
	c.t.Helper()
	_, err := fmt.Fprintln(c.orders, order)
	require.NoError(c.t, err)
	require.True(c.t, c.answers.Scan(), "the child ended: %v", c.answers.Err())
	words := strings.Fields(c.answers.Text())
	require.NotEmpty(c.t, words)
	require.Equal(c.t, "ok", words[0], "the child answered: %s", c.answers.Text())
	return words[1:]
}

// kill ends the process as kill -9 does, and waits for its end.
func (c *child) kill() {
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
}

// start runs a server for the time of the test.
func start(t *testing.T, cfg devserver.Config) *devserver.Server {
	t.Helper()
	server, err := devserver.Start(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop()) })
	return server
}

// dial connects a client for the time of the test.
func dial(t *testing.T, address string, opts client.Options) client.Client {
	t.Helper()
	opts.HostPort = address
	opts.Logger = sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler))
	c, err := client.DialContext(t.Context(), opts)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// work runs a worker with the test workflows until the test ends or the
// returned function is called.
func work(t *testing.T, c client.Client) (stop func()) {
	t.Helper()
	w := worker.New(c, queue, worker.Options{})
	w.RegisterWorkflow(greet)
	w.RegisterWorkflow(nap)
	w.RegisterWorkflow(await)
	require.NoError(t, w.Start())
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			w.Stop()
		}
	}
	t.Cleanup(stop)
	return stop
}

// greet answers at once.
func greet(_ workflow.Context, name string) (string, error) { return "hello " + name, nil }

// nap answers after a timer.
func nap(ctx workflow.Context, d time.Duration) (string, error) {
	return "slept", workflow.Sleep(ctx, d)
}

// await answers with the payload of the signal "go".
func await(ctx workflow.Context) (string, error) {
	var payload string
	workflow.GetSignalChannel(ctx, "go").Receive(ctx, &payload)
	return payload, nil
}

// result waits for a workflow that returns a string.
func result(t *testing.T, run client.WorkflowRun) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var got string
	require.NoError(t, run.Get(ctx, &got))
	return got
}

// run starts a test workflow on the test queue.
func run(t *testing.T, c client.Client, opts client.StartWorkflowOptions, workflow any, args ...any) client.WorkflowRun {
	t.Helper()
	opts.TaskQueue = queue
	run, err := c.ExecuteWorkflow(t.Context(), opts, workflow, args...)
	require.NoError(t, err)
	return run
}
