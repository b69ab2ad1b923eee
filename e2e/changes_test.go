package e2e

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/workflows"
)

// TestRunsFromBeforeAChangeFinish deploys a change of the workflow while a delivery is in the middle of an attempt
// and cancelled: today's code gives up attempts that wait for a worker, older code knew nothing of it. Deployed
// without its guard, the change would stop the run, which Temporal then keeps; with the guard the run ends as
// the code that it began under would have ended it.
func TestRunsFromBeforeAChangeFinish(t *testing.T) {
	t.Parallel()
	p := prepareInProcess(t, nil)
	attempts := sdkworker.New(p.plain, contract.TaskQueue, sdkworker.Options{DisableWorkflowWorker: true})
	attempts.RegisterActivity(p.activities)
	require.NoError(t, attempts.Start())
	t.Cleanup(attempts.Stop)

	gate := newGate(t)
	target := newReceiver(t, gate.holding(2, always(http.StatusInternalServerError)))
	delivery := p.deliveryTo(t, target)
	before := p.deploy(t, versions(workflow.DefaultVersion))
	begin(t, p.plain, delivery)
	p.awaitStatus(t, delivery, models.StatusFailed)
	require.NoError(t, p.plain.SignalWorkflow(t.Context(), delivery.ID, "", contract.SignalResend, nil))
	target.await(t, 2)
	require.NoError(t, p.plain.CancelWorkflow(t.Context(), delivery.ID, ""))
	awaitCancelSeen(t, p.plain, delivery.ID)
	before()

	unguarded := p.deploy(t, versions(1))
	gate.open()
	eventually(t, func() bool { return refused(t, p.plain, delivery.ID) }, "the change needs no guard")
	unguarded()

	p.deploy(t)
	awaitWorkflow(t, p.plain, delivery.ID, "", enumspb.WORKFLOW_EXECUTION_STATUS_CANCELED)
	p.awaitStatus(t, delivery, models.StatusCancelled)
	require.Equal(t, 2, target.count())
	made, err := p.store.Attempts(t.Context(), delivery.ID)
	require.NoError(t, err)
	require.Len(t, made, 2)
}

// deploy starts a worker for workflows; the function that it returns ends it, as the next deploy does.
func (p *inProcess) deploy(t *testing.T, interceptors ...interceptor.WorkerInterceptor) (stop func()) {
	t.Helper()
	// Nothing of the worker before this one is remembered, as in a new process.
	sdkworker.PurgeStickyWorkflowCache()
	w := sdkworker.New(p.plain, contract.TaskQueue, sdkworker.Options{LocalActivityWorkerOnly: true, Interceptors: interceptors})
	workflows.Register(w, p.activities)
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

// refused says whether Temporal's SDK has found that the code does not fit a run.
func refused(t *testing.T, c client.Client, id string) bool {
	t.Helper()
	for _, event := range historyOf(t, c, id, "").GetEvents() {
		failed := event.GetWorkflowTaskFailedEventAttributes()
		if failed.GetCause() == enumspb.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR {
			return true
		}
	}
	return false
}

// oldCode gives workflows the same answer to every question for a version, and leaves no trace of it in their
// history: so behaves code from before a change, or one that lacks its guard.
type oldCode struct {
	interceptor.WorkerInterceptorBase
	version workflow.Version
}

func versions(version workflow.Version) interceptor.WorkerInterceptor {
	return &oldCode{version: version}
}

func (o *oldCode) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	in := &oldCodeInbound{version: o.version}
	in.Next = next
	return in
}

type oldCodeInbound struct {
	interceptor.WorkflowInboundInterceptorBase
	version workflow.Version
}

func (i *oldCodeInbound) Init(next interceptor.WorkflowOutboundInterceptor) error {
	out := &oldCodeOutbound{version: i.version}
	out.Next = next
	return i.Next.Init(out)
}

type oldCodeOutbound struct {
	interceptor.WorkflowOutboundInterceptorBase
	version workflow.Version
}

func (o *oldCodeOutbound) GetVersion(workflow.Context, string, workflow.Version, workflow.Version) workflow.Version {
	return o.version
}
