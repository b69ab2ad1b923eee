package pgcluster

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestProcessState(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("this system has no /proc")
	}
	state, parent := processState(os.Getpid())
	require.NotEmpty(t, state)
	require.Equal(t, os.Getppid(), parent)
	require.Contains(t, childrenOf(parent), os.Getpid())

	state, _ = processState(-1)
	require.Empty(t, state)
}
