package workflows_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"github.com/postrider/postrider/models"
)

func TestCancelInEachWait(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		for wait := range len(due) - 1 {
			t.Run(fmt.Sprintf("wait %d", wait+1), func(t *testing.T) {
				t.Parallel()
				r := newRig(t, open)
				r.after((due[wait]+due[wait+1])/2, r.env.CancelWorkflow)
				requireCanceled(t, r.run())
				r.requireTimes(due[:wait+1]...)
				row := r.row()
				require.Equal(t, models.StatusCancelled, row.Status)
				require.Equal(t, "cancelled on request", row.CancelReason)
				require.Nil(t, row.NextAttemptAt)
				require.Empty(t, r.email.notices)
			})
		}
	})
}

// A run begun before changeCancelUnstarted lets every attempt finish. What a newer one does with an attempt
// under way is shown end to end: the test environment ends a cancelled activity at once.
func TestCancelDuringAnAttemptLetsItFinish(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		t.Run("it succeeds and counts", func(t *testing.T) {
			t.Parallel()
			r := newRig(t, open)
			r.env.OnGetVersion("cancel-unstarted-attempt", workflow.DefaultVersion, workflow.Version(1)).Return(workflow.DefaultVersion)
			r.receiver.answers(answer{status: 500}, answer{status: 200, before: r.env.CancelWorkflow})
			require.NoError(t, r.run())
			require.Equal(t, models.StatusDelivered, r.row().Status)
		})
		t.Run("it fails and is the last", func(t *testing.T) {
			t.Parallel()
			r := newRig(t, open)
			r.env.OnGetVersion("cancel-unstarted-attempt", workflow.DefaultVersion, workflow.Version(1)).Return(workflow.DefaultVersion)
			r.receiver.answers(answer{status: 500}, answer{status: 500, before: r.env.CancelWorkflow})
			requireCanceled(t, r.run())
			r.requireTimes(0, time.Minute)
			row := r.row()
			require.Equal(t, models.StatusCancelled, row.Status)
			require.Equal(t, 2, row.AttemptCount)
		})
	})
}
