package workflows

import (
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/postrider/postrider/internal/contract"
)

// The history was recorded before patchCancelUnstarted: a delivery that is cancelled during an attempt goes
// on waiting for it. With the guard the run goes on as it began; without it Temporal would refuse today's
// code, and the delivery would be stuck.
func TestRunsFromBeforeAChangeNeedItsGuard(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		patched func(workflow.Context, string) bool
		fits    bool
	}{
		"with the guard":    {patched, true},
		"without the guard": {func(workflow.Context, string) bool { return true }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			replayer := worker.NewWorkflowReplayer()
			replayer.RegisterWorkflowWithOptions(func(ctx workflow.Context, in contract.DeliveryInput) error {
				d, err := newDelivery(ctx, in)
				if err != nil {
					return err
				}
				d.patched = test.patched
				return d.run(ctx)
			}, workflow.RegisterOptions{Name: contract.TypeDelivery})
			quiet := log.NewStructuredLogger(slog.New(slog.DiscardHandler))
			err := replayer.ReplayWorkflowHistoryFromJSONFile(quiet, "testdata/histories/cancelled-during-attempt-before-cancel-unstarted-attempt.json")
			if test.fits {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, "nondeterministic")
		})
	}
}
