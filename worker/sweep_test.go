package worker_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/mocks"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/worker"
)

func TestSweepNow(t *testing.T) {
	t.Parallel()
	for _, want := range []error{nil, errAway} {
		c := &mocks.Client{}
		c.On("ExecuteWorkflow", mock.Anything, contract.StartSweepOptions(), contract.TypeSweep, contract.SweepInput{}).Return(nil, want).Once()
		require.ErrorIs(t, worker.SweepNow(t.Context(), c), want)
		c.AssertExpectations(t)
	}
}

// The sweep is started at once, and a Temporal that does not answer is no end.
func TestKeepSweep(t *testing.T) {
	t.Parallel()
	for _, answer := range []error{nil, errAway} {
		ctx, end := context.WithCancel(t.Context())
		c := &mocks.Client{}
		in := contract.SweepInput{Every: contract.SweepInterval, MinAge: contract.SweepAge}
		c.On("ExecuteWorkflow", mock.Anything, contract.SweepOptions(), contract.TypeSweep, in).
			Run(func(mock.Arguments) { end() }).Return(nil, answer)
		worker.KeepSweep(ctx, c, slog.New(slog.DiscardHandler))
		c.AssertExpectations(t)
	}
}

// newest is a Temporal whose histories end with one event.
type newest struct {
	workflowservice.WorkflowServiceClient
	at  time.Time
	err error
}

func (n newest) GetWorkflowExecutionHistoryReverse(context.Context, *workflowservice.GetWorkflowExecutionHistoryReverseRequest, ...grpc.CallOption) (*workflowservice.GetWorkflowExecutionHistoryReverseResponse, error) {
	return &workflowservice.GetWorkflowExecutionHistoryReverseResponse{
		History: &historypb.History{Events: []*historypb.HistoryEvent{{EventTime: timestamppb.New(n.at)}}},
	}, n.err
}

func TestCheckSweep(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	running, ended := enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED
	for name, test := range map[string]struct {
		status            enumspb.WorkflowExecutionStatus
		swept             time.Duration // ago
		paused            any           // nil where it never was
		err, errOfHistory error
		want              string
	}{
		"in time":                {status: running, swept: 10 * time.Second},
		"resumed":                {status: running, swept: 10 * time.Second, paused: false},
		"late":                   {status: running, swept: 2 * time.Minute, want: "it came by 2m0s ago instead of every 10s"},
		"paused":                 {status: running, paused: true, want: "its workflow postrider-sweep is paused; the signal resume lets it go on"},
		"ended":                  {status: ended, want: "its workflow postrider-sweep has ended; workers start it again"},
		"Temporal is away":       {err: errAway, want: "Temporal does not know of its workflow, or does not answer"},
		"Temporal has gone away": {status: running, errOfHistory: errAway, want: "Temporal does not tell its history"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			info := &workflowpb.WorkflowExecutionInfo{Status: test.status, StartTime: timestamppb.New(now.Add(-time.Hour))}
			if test.paused != nil {
				payload, err := converter.GetDefaultDataConverter().ToPayload(test.paused)
				require.NoError(t, err)
				info.Memo = &commonpb.Memo{Fields: map[string]*commonpb.Payload{contract.MemoPaused: payload}}
			}
			temporal := &mocks.Client{}
			temporal.On("DescribeWorkflowExecution", mock.Anything, contract.SweepID, "").
				Return(&workflowservice.DescribeWorkflowExecutionResponse{WorkflowExecutionInfo: info}, test.err)
			temporal.On("WorkflowService").Return(newest{at: now.Add(-test.swept), err: test.errOfHistory})
			err := worker.CheckSweep(t.Context(), temporal, "space", now)
			if test.want == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, test.want)
		})
	}
}
