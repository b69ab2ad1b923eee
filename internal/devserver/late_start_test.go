package devserver_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"github.com/postrider/postrider/internal/devserver"
	"github.com/postrider/postrider/internal/testdb"
)

// delayedStart lets the commit of one statement take longer than the second that Temporal's matching service waits for
// it: that of the update of a workflow behind the next one. Behind a signal these are the signal's and that which records
// that a worker was given the task.
const delayedStart = `
CREATE TABLE updates (n int);
INSERT INTO updates VALUES (0);
CREATE FUNCTION delay_second_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE updates SET n = n + 1;
    IF (SELECT n FROM updates) = 2 THEN PERFORM pg_sleep(1.5); END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER delay_second_update AFTER UPDATE ON executions DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.workflow_id = '%s') EXECUTE FUNCTION delay_second_update();`

// TestStartThatIsRecordedLate shows what bounds a lost task, with nobody stopping: Temporal forgets a task whose start
// it records later than a second after it had a worker for it, and hands it out again after the time limit of a
// workflow task, 10 seconds. docs/reliability.md relies on that.
func TestStartThatIsRecordedLate(t *testing.T) {
	t.Parallel()
	url := testdb.Postgres(t)
	server := start(t, devserver.Config{DatabaseURL: url, UIPort: devserver.NoUI})
	c := dial(t, server.Address(), client.Options{})
	work(t, c)
	waiting := run(t, c, client.StartWorkflowOptions{}, await)
	history := func() (types []enumspb.EventType) {
		events := c.GetWorkflowHistory(t.Context(), waiting.GetID(), waiting.GetRunID(), false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
		for events.HasNext() {
			event, err := events.Next()
			require.NoError(t, err)
			types = append(types, event.GetEventType())
		}
		return types
	}
	require.Eventually(t, func() bool { return len(history()) == 4 }, patience, 50*time.Millisecond, "the workflow does not wait")

	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), fmt.Sprintf(delayedStart, waiting.GetID()))
	require.NoError(t, err)
	require.NoError(t, conn.Close(t.Context()))
	require.NoError(t, c.SignalWorkflow(t.Context(), waiting.GetID(), "", "go", "done"))

	require.Equal(t, "done", result(t, waiting))
	require.Equal(t, []enumspb.EventType{
		enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
		enumspb.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED,
		enumspb.EVENT_TYPE_WORKFLOW_TASK_STARTED,
		enumspb.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT,
		enumspb.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED,
		enumspb.EVENT_TYPE_WORKFLOW_TASK_STARTED,
		enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
		enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
	}, history()[4:])
}
