package measuring

import (
	"context"
	"errors"
	"fmt"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/postrider/postrider/internal/bench/report"
)

// sampleSize is how many workflows Temporal is asked about.
const sampleSize = 50

// DescribeSample asks Temporal about workflows that are spread evenly over the IDs. Deliveries without a
// workflow count as nothing.
func DescribeSample(ctx context.Context, temporal client.Client, ids []string) (*report.Workflows, error) {
	sample := spread(ids, sampleSize)
	if len(sample) == 0 {
		return nil, nil //nolint:nilnil // nothing was delivered
	}
	var sum report.Workflows
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
	return &report.Workflows{Events: sum.Events / n, StateTransitions: sum.StateTransitions / n}, nil
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

func isNotFound(err error) bool {
	var notFound *serviceerror.NotFound
	return errors.As(err, &notFound)
}
