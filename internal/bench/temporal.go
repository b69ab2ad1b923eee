package bench

import (
	"context"
	"fmt"

	"go.temporal.io/sdk/client"
)

// sampleSize is how many workflows Temporal is asked about.
const sampleSize = 50

// Workflows is what Temporal did for one delivery.
type Workflows struct {
	// Events is the length of the history, StateTransitions how often the workflow's state was written.
	Events           float64 `json:"events"`
	StateTransitions float64 `json:"state_transitions"`
}

// describeSample asks Temporal about workflows that are spread evenly over the IDs. Deliveries without a
// workflow count as nothing.
func describeSample(ctx context.Context, temporal client.Client, ids []string) (*Workflows, error) {
	sample := spread(ids, sampleSize)
	if len(sample) == 0 {
		return nil, nil //nolint:nilnil // nothing was delivered
	}
	var sum Workflows
	for _, id := range sample {
		description, err := temporal.DescribeWorkflowExecution(ctx, id, "")
		if isNotFound(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("describe workflow %s: %w", id, err)
		}
		info := description.GetWorkflowExecutionInfo()
		sum.Events += float64(info.GetHistoryLength())
		sum.StateTransitions += float64(info.GetStateTransitionCount())
	}
	n := float64(len(sample))
	return &Workflows{Events: sum.Events / n, StateTransitions: sum.StateTransitions / n}, nil
}

// spread picks up to n of the values, evenly.
func spread[T any](values []T, n int) []T {
	n = min(n, len(values))
	picked := make([]T, n)
	for i := range picked {
		picked[i] = values[i*len(values)/n]
	}
	return picked
}
