package e2e

import (
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	sdklog "go.temporal.io/sdk/log"
)

// identity is what histories name as the client and the worker.
const identity = "postrider-e2e"

func dialTemporal(t testing.TB, options client.Options) client.Client {
	t.Helper()
	options.Identity = identity
	options.Logger = sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler))
	connection, err := client.DialContext(t.Context(), options)
	require.NoError(t, err)
	t.Cleanup(connection.Close)
	return connection
}

// historyOf reads a run's whole history; an empty runID means the latest run.
func historyOf(t testing.TB, c client.Client, workflowID, runID string) *historypb.History {
	t.Helper()
	history := &historypb.History{}
	events := c.GetWorkflowHistory(t.Context(), workflowID, runID, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		require.NoError(t, err)
		history.Events = append(history.Events, event)
	}
	return history
}

// typesOf lists the types of a history's events.
func typesOf(history *historypb.History) []string {
	var all []string
	for _, event := range history.GetEvents() {
		all = append(all, event.GetEventType().String())
	}
	return all
}

// timer is a wait in a history.
type timer struct {
	wait    time.Duration
	summary string
}

func timersOf(t testing.TB, history *historypb.History) []timer {
	t.Helper()
	var all []timer
	for _, event := range history.GetEvents() {
		if started := event.GetTimerStartedEventAttributes(); started != nil {
			var summary string
			require.NoError(t, converter.GetDefaultDataConverter().FromPayload(event.GetUserMetadata().GetSummary(), &summary))
			all = append(all, timer{started.GetStartToFireTimeout().AsDuration(), summary})
		}
	}
	return all
}

// failureType is the type of the failure that ended a workflow; empty when none did.
func failureType(history *historypb.History) string {
	events := history.GetEvents()
	last := events[len(events)-1].GetWorkflowExecutionFailedEventAttributes()
	return last.GetFailure().GetApplicationFailureInfo().GetType()
}

// awaitWorkflow waits until a workflow's run has the status; an empty runID means the latest run.
func awaitWorkflow(t testing.TB, c client.Client, workflowID, runID string, status enumspb.WorkflowExecutionStatus) {
	t.Helper()
	eventually(t, func() bool {
		description, err := c.DescribeWorkflow(t.Context(), workflowID, runID)
		return err == nil && description.Status == status
	}, "workflow %s does not become %s", workflowID, status)
}

// run names one run of a workflow.
type run struct{ workflowID, runID string }

// find lists the runs that a visibility query finds.
func find(t testing.TB, c client.Client, query string) []run {
	t.Helper()
	var runs []run
	for token := []byte(nil); ; {
		page, err := c.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{Query: query, NextPageToken: token})
		require.NoError(t, err)
		for _, execution := range page.GetExecutions() {
			runs = append(runs, run{execution.GetExecution().GetWorkflowId(), execution.GetExecution().GetRunId()})
		}
		if token = page.GetNextPageToken(); len(token) == 0 {
			return runs
		}
	}
}

// awaitFound waits until a visibility query finds a workflow; Temporal lists workflows a moment late.
func awaitFound(t testing.TB, c client.Client, workflowID, query string) {
	t.Helper()
	eventually(t, func() bool {
		return slices.ContainsFunc(find(t, c, query), func(r run) bool { return r.workflowID == workflowID })
	}, "%s does not find %s", query, workflowID)
}
