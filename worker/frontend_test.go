package worker_test

import (
	"context"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	namespacepb "go.temporal.io/api/namespace/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	sdklog "go.temporal.io/sdk/log"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/postrider/postrider/internal/contract"
)

// patience is how long a test waits for something that must happen.
const patience = 30 * time.Second

// poll names what a worker asks for.
type poll struct {
	queue string
	kind  enumspb.TaskQueueType
}

var (
	workflowTasks = poll{contract.TaskQueue, enumspb.TASK_QUEUE_TYPE_WORKFLOW}
	fastTasks     = poll{contract.TaskQueue, enumspb.TASK_QUEUE_TYPE_ACTIVITY}
	slowTasks     = poll{contract.TaskQueueSlow, enumspb.TASK_QUEUE_TYPE_ACTIVITY}
)

// frontend is a Temporal that gives workers the tasks which a test puts into it, and keeps what they answer.
type frontend struct {
	workflowservice.UnimplementedWorkflowServiceServer
	activities map[poll]chan *workflowservice.PollActivityTaskQueueResponse
	workflows  chan *workflowservice.PollWorkflowTaskQueueResponse

	mu sync.Mutex
	// namespaceErr, unless nil, is the answer to questions for the namespace.
	namespaceErr error
	// polled counts all polls, waiting those that wait for a task.
	polled, waiting map[poll]int
	// answers are failure messages by task; an empty one is a success.
	answers map[string]string
}

// startFrontend returns a Temporal and a client of it.
func startFrontend(t *testing.T) (*frontend, client.Client) {
	t.Helper()
	f := &frontend{
		activities: map[poll]chan *workflowservice.PollActivityTaskQueueResponse{},
		workflows:  make(chan *workflowservice.PollWorkflowTaskQueueResponse, 100),
		polled:     map[poll]int{}, waiting: map[poll]int{}, answers: map[string]string{},
	}
	for _, queue := range []poll{fastTasks, slowTasks} {
		f.activities[queue] = make(chan *workflowservice.PollActivityTaskQueueResponse, 10_000)
	}
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := grpc.NewServer()
	workflowservice.RegisterWorkflowServiceServer(server, f)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	c, err := client.NewLazyClient(client.Options{
		HostPort: listener.Addr().String(), Logger: sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		c.Close()
		server.Stop()
		require.NoError(t, <-served)
	})
	return f, c
}

func (f *frontend) GetSystemInfo(context.Context, *workflowservice.GetSystemInfoRequest) (*workflowservice.GetSystemInfoResponse, error) {
	return &workflowservice.GetSystemInfoResponse{ServerVersion: "1.2.3", Capabilities: &workflowservice.GetSystemInfoResponse_Capabilities{}}, nil
}

func (f *frontend) DescribeNamespace(context.Context, *workflowservice.DescribeNamespaceRequest) (*workflowservice.DescribeNamespaceResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.namespaceErr != nil {
		return nil, f.namespaceErr
	}
	return &workflowservice.DescribeNamespaceResponse{
		NamespaceInfo: &namespacepb.NamespaceInfo{Name: client.DefaultNamespace}, Config: &namespacepb.NamespaceConfig{},
	}, nil
}

func (f *frontend) ShutdownWorker(context.Context, *workflowservice.ShutdownWorkerRequest) (*workflowservice.ShutdownWorkerResponse, error) {
	return &workflowservice.ShutdownWorkerResponse{}, nil
}

func (f *frontend) begin(queue poll) (end func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.polled[queue]++
	f.waiting[queue]++
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.waiting[queue]--
	}
}

func (f *frontend) PollWorkflowTaskQueue(ctx context.Context, request *workflowservice.PollWorkflowTaskQueueRequest) (*workflowservice.PollWorkflowTaskQueueResponse, error) {
	if request.GetTaskQueue().GetKind() == enumspb.TASK_QUEUE_KIND_STICKY {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	defer f.begin(poll{request.GetTaskQueue().GetName(), enumspb.TASK_QUEUE_TYPE_WORKFLOW})()
	select {
	case task := <-f.workflows:
		return task, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (f *frontend) PollActivityTaskQueue(ctx context.Context, request *workflowservice.PollActivityTaskQueueRequest) (*workflowservice.PollActivityTaskQueueResponse, error) {
	queue := poll{request.GetTaskQueue().GetName(), enumspb.TASK_QUEUE_TYPE_ACTIVITY}
	defer f.begin(queue)()
	select {
	case task := <-f.activities[queue]:
		return task, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (f *frontend) answer(token []byte, failure string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answers[string(token)] = failure
}

func (f *frontend) RespondActivityTaskCompleted(_ context.Context, request *workflowservice.RespondActivityTaskCompletedRequest) (*workflowservice.RespondActivityTaskCompletedResponse, error) {
	f.answer(request.GetTaskToken(), "")
	return &workflowservice.RespondActivityTaskCompletedResponse{}, nil
}

func (f *frontend) RespondActivityTaskFailed(_ context.Context, request *workflowservice.RespondActivityTaskFailedRequest) (*workflowservice.RespondActivityTaskFailedResponse, error) {
	f.answer(request.GetTaskToken(), request.GetFailure().GetMessage())
	return &workflowservice.RespondActivityTaskFailedResponse{}, nil
}

func (f *frontend) RecordActivityTaskHeartbeat(context.Context, *workflowservice.RecordActivityTaskHeartbeatRequest) (*workflowservice.RecordActivityTaskHeartbeatResponse, error) {
	return &workflowservice.RecordActivityTaskHeartbeatResponse{}, nil
}

func (f *frontend) RespondWorkflowTaskCompleted(_ context.Context, request *workflowservice.RespondWorkflowTaskCompletedRequest) (*workflowservice.RespondWorkflowTaskCompletedResponse, error) {
	f.answer(request.GetTaskToken(), "")
	return &workflowservice.RespondWorkflowTaskCompletedResponse{}, nil
}

func (f *frontend) RespondWorkflowTaskFailed(_ context.Context, request *workflowservice.RespondWorkflowTaskFailedRequest) (*workflowservice.RespondWorkflowTaskFailedResponse, error) {
	f.answer(request.GetTaskToken(), request.GetFailure().GetMessage())
	return &workflowservice.RespondWorkflowTaskFailedResponse{}, nil
}

// giveActivity puts a task into a queue. Its token is the activity's name and a number.
func (f *frontend) giveActivity(t *testing.T, queue poll, name string, number int, input ...any) (token string) {
	t.Helper()
	payloads, err := converter.GetDefaultDataConverter().ToPayloads(input...)
	require.NoError(t, err)
	token = name + "/" + strconv.Itoa(number)
	now := timestamppb.Now()
	f.activities[queue] <- &workflowservice.PollActivityTaskQueueResponse{
		TaskToken: []byte(token), WorkflowNamespace: client.DefaultNamespace, WorkflowType: &commonpb.WorkflowType{Name: contract.TypeDelivery},
		WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: "dlv_x", RunId: "run"},
		ActivityType:      &commonpb.ActivityType{Name: name}, ActivityId: token, Input: payloads, Attempt: 1,
		ScheduledTime: now, StartedTime: now, CurrentAttemptScheduledTime: now,
		ScheduleToCloseTimeout: durationpb.New(time.Minute), StartToCloseTimeout: durationpb.New(time.Minute), HeartbeatTimeout: durationpb.New(time.Minute),
	}
	return token
}

// giveWorkflow puts a workflow's first task into the queue. Its token is the workflow's type.
func (f *frontend) giveWorkflow(workflowType string) (token string) {
	now := timestamppb.Now()
	queue := &taskqueuepb.TaskQueue{Name: contract.TaskQueue}
	f.workflows <- &workflowservice.PollWorkflowTaskQueueResponse{
		TaskToken: []byte(workflowType), WorkflowType: &commonpb.WorkflowType{Name: workflowType}, Attempt: 1,
		WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: "of " + workflowType, RunId: "run of " + workflowType},
		StartedEventId:    3, ScheduledTime: now, StartedTime: now,
		History: &historypb.History{Events: []*historypb.HistoryEvent{
			{EventId: 1, EventTime: now, EventType: enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED, Attributes: &historypb.HistoryEvent_WorkflowExecutionStartedEventAttributes{
				WorkflowExecutionStartedEventAttributes: &historypb.WorkflowExecutionStartedEventAttributes{
					WorkflowType: &commonpb.WorkflowType{Name: workflowType}, TaskQueue: queue, Attempt: 1,
				},
			}},
			{EventId: 2, EventTime: now, EventType: enumspb.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED, Attributes: &historypb.HistoryEvent_WorkflowTaskScheduledEventAttributes{
				WorkflowTaskScheduledEventAttributes: &historypb.WorkflowTaskScheduledEventAttributes{TaskQueue: queue, Attempt: 1},
			}},
			{EventId: 3, EventTime: now, EventType: enumspb.EVENT_TYPE_WORKFLOW_TASK_STARTED, Attributes: &historypb.HistoryEvent_WorkflowTaskStartedEventAttributes{
				WorkflowTaskStartedEventAttributes: &historypb.WorkflowTaskStartedEventAttributes{ScheduledEventId: 2},
			}},
		}},
	}
	return workflowType
}

// requireAnswer waits for what became of a task.
func (f *frontend) requireAnswer(t *testing.T, token string) (failure string) {
	t.Helper()
	require.Eventually(t, func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		var answered bool
		failure, answered = f.answers[token]
		return answered
	}, patience, time.Millisecond, "no answer to %s", token)
	return failure
}

func (f *frontend) polls(queue poll) (all, waiting int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.polled[queue], f.waiting[queue]
}
