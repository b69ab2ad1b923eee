package workflows_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/worker"

	"github.com/postrider/postrider/workflows"
)

// Recorded histories are of real runs, one for each scenario. Today's code must take the same decisions: a
// delivery that began before a deploy goes on behind it.
func TestRecordedHistoriesReplay(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/histories/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files, "there is no recorded history: this test would prove nothing")
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			require.NoError(t, replay(t, file))
		})
	}
}

// The bad history is of a worker whose attempts were another activity: were the check blind, it would pass.
func TestBadHistoryIsRefused(t *testing.T) {
	t.Parallel()
	require.Error(t, replay(t, "testdata/bad-history.json"))
}

func replay(t *testing.T, file string) error {
	t.Helper()
	replayer := worker.NewWorkflowReplayer()
	workflows.RegisterWorkflows(replayer)
	return replayer.ReplayWorkflowHistoryFromJSONFile(quiet{}, file)
}
