package worker_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/mocks"
	"go.temporal.io/sdk/temporal"
	"google.golang.org/grpc"

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/worker"
)

// operator keeps the search attributes of a namespace.
type operator struct {
	operatorservice.OperatorServiceClient
	existing, added map[string]enumspb.IndexedValueType
	addErr          error
}

func (o *operator) ListSearchAttributes(context.Context, *operatorservice.ListSearchAttributesRequest, ...grpc.CallOption) (*operatorservice.ListSearchAttributesResponse, error) {
	return &operatorservice.ListSearchAttributesResponse{CustomAttributes: o.existing}, nil
}

func (o *operator) AddSearchAttributes(_ context.Context, request *operatorservice.AddSearchAttributesRequest, _ ...grpc.CallOption) (*operatorservice.AddSearchAttributesResponse, error) {
	o.added = request.GetSearchAttributes()
	return nil, o.addErr
}

// namespace is a Temporal with an operator, in which the schedules can be made.
func namespace(o *operator, createErr error) (*mocks.Client, *mocks.ScheduleClient) {
	c, schedules := &mocks.Client{}, &mocks.ScheduleClient{}
	c.On("OperatorService").Return(o)
	c.On("ScheduleClient").Return(schedules)
	schedules.On("Create", mock.Anything, mock.Anything).Return(nil, createErr)
	former := &mocks.ScheduleHandle{}
	former.On("Delete", mock.Anything).Return(serviceerror.NewNotFound("there is none"))
	schedules.On("GetHandle", mock.Anything, contract.SweepID).Return(former)
	return c, schedules
}

func prepare(t *testing.T, c client.Client) error {
	t.Helper()
	return worker.Prepare(t.Context(), c, "space", slog.New(slog.DiscardHandler))
}

// Attributes that were just added can be used only when every frontend has heard of them.
func TestPrepareAddsWhatIsMissing(t *testing.T) {
	t.Parallel()
	for name, addErr := range map[string]error{"alone": nil, "beside another process": serviceerror.NewAlreadyExists("just now")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := &operator{existing: map[string]enumspb.IndexedValueType{contract.SearchEvent.GetName(): enumspb.INDEXED_VALUE_TYPE_KEYWORD}, addErr: addErr}
			c, schedules := namespace(o, nil)
			c.On("CountWorkflow", mock.Anything, mock.Anything).Return(nil, serviceerror.NewInvalidArgument("unknown attribute")).Once()
			c.On("CountWorkflow", mock.Anything, mock.Anything).Return(&workflowservice.CountWorkflowExecutionsResponse{}, nil).Once()
			require.NoError(t, prepare(t, c))
			want := contract.SearchAttributes()
			delete(want, contract.SearchEvent.GetName())
			require.Equal(t, want, o.added)
			c.AssertNumberOfCalls(t, "CountWorkflow", 2)
			schedules.AssertNumberOfCalls(t, "Create", len(contract.Schedules()))
		})
	}
}

// A schedule that an older version made gets the present times, and stays paused if it is; one that is right is left
// alone.
func TestPrepareUpdatesSchedules(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		every   time.Duration
		updates int
	}{
		"an older version's": {24 * time.Hour, len(contract.Schedules())},
		"this version's":     {0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := &operator{existing: contract.SearchAttributes()}
			c, schedules := namespace(o, temporal.ErrScheduleAlreadyRunning)
			updates := 0
			for _, wanted := range contract.Schedules() {
				interval := wanted.Spec.Intervals[0]
				if test.every != 0 {
					interval.Every = test.every
				}
				existing := client.ScheduleDescription{Schedule: client.Schedule{
					Spec: &client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{interval}}, State: &client.ScheduleState{Paused: true},
				}}
				handle := &mocks.ScheduleHandle{}
				schedules.On("GetHandle", mock.Anything, wanted.ID).Return(handle)
				handle.On("Describe", mock.Anything).Return(&existing, nil)
				handle.On("Update", mock.Anything, mock.Anything).Run(func(args mock.Arguments) {
					updates++
					update, err := args.Get(1).(client.ScheduleUpdateOptions).DoUpdate(client.ScheduleUpdateInput{Description: existing})
					require.NoError(t, err)
					require.Equal(t, wanted.Spec.Intervals, update.Schedule.Spec.Intervals)
					require.Equal(t, wanted.Action, update.Schedule.Action)
					require.True(t, update.Schedule.State.Paused)
				}).Return(nil)
			}
			require.NoError(t, prepare(t, c))
			require.Equal(t, test.updates, updates)
			require.Empty(t, o.added)
		})
	}
}

func TestPrepareWithoutTemporal(t *testing.T) {
	t.Parallel()
	c, _ := namespace(&operator{existing: contract.SearchAttributes()}, errAway)
	require.ErrorIs(t, prepare(t, c), errAway)
	c, _ = namespace(&operator{addErr: errAway}, nil)
	require.ErrorIs(t, prepare(t, c), errAway)
}
