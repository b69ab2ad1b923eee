package devserver_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/postrider/postrider/internal/devserver"
)

// A backlog is shared out among fairness keys: who comes with little does not wait behind who came with much.
func TestFairness(t *testing.T) {
	t.Parallel()
	server := start(t, devserver.Config{UIPort: devserver.NoUI})
	c := dial(t, server.Address(), client.Options{})
	const much, little = 60, 5
	var runs []client.WorkflowRun
	begin := func(owner string, n int) {
		for range n {
			options := client.StartWorkflowOptions{Priority: temporal.Priority{FairnessKey: owner}}
			runs = append(runs, run(t, c, options, "note", owner))
		}
	}
	begin("much", much)
	begin("little", little)

	var mu sync.Mutex
	var order []string
	w := worker.New(c, queue, worker.Options{MaxConcurrentWorkflowTaskExecutionSize: 2, MaxConcurrentWorkflowTaskPollers: 2})
	w.RegisterWorkflowWithOptions(func(_ workflow.Context, owner string) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		order = append(order, owner)
		return owner, nil
	}, workflow.RegisterOptions{Name: "note"})
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)
	for _, run := range runs {
		result(t, run)
	}
	slices.Reverse(order)
	require.GreaterOrEqual(t, slices.Index(order, "little"), much/2, "the last of little came late: %v", order)
}
