package measuring

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseStat(t *testing.T) {
	t.Parallel()
	const rest = " S 7 10 10 0 -1 4194560 3061 1027 0 0 120 30 40 5 20 0 1 0 10613"
	for _, name := range []string{"(postgres)", "(postgres: checkpointer )", "(a) b (c)"} {
		pid, process, ok := parseStat("12 " + name + rest)
		require.True(t, ok, name)
		require.Equal(t, 12, pid, name)
		require.Equal(t, stat{parent: 7, ticks: 150, endedChildren: 45}, process, name)
	}
	for _, bad := range []string{"", "12", "12 (x) S 7", "x (x)" + rest, "12 (x) S 7 10 10 0 -1 4194560 3061 1027 0 0 a 30 40 5"} {
		_, _, ok := parseStat(bad)
		require.False(t, ok, bad)
	}
}

func TestMembersAreAllDescendants(t *testing.T) {
	t.Parallel()
	all := map[int]stat{1: {}, 2: {parent: 1}, 3: {parent: 2}, 4: {parent: 1}, 5: {parent: 9}}
	require.ElementsMatch(t, []int{1, 2, 3, 4}, Process{PID: 1}.members(all))
	require.Equal(t, []int{1}, Process{PID: 1, Alone: true}.members(all))
}

func TestProcessorTimeKeepsThatOfEndedChildren(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("this system has no /proc")
	}
	parts := []Process{{Name: "tests", PID: os.Getpid()}, {Name: "alone", PID: os.Getpid(), Alone: true}, {Name: "none", PID: -1}}
	before := ProcessorTime(parts)
	child := exec.Command("sh", "-c", "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done")
	require.NoError(t, child.Run())
	after := ProcessorTime(parts)
	used := child.ProcessState.UserTime() + child.ProcessState.SystemTime()

	const tick = 20e6 // two of the kernel's units, as it rounds
	require.GreaterOrEqual(t, float64(after["tests"]-before["tests"]), float64(used)-tick)
	require.Less(t, after["alone"]-before["alone"], after["tests"]-before["tests"])
	require.NotContains(t, after, "none")
	held := memory(parts)
	require.Positive(t, held["tests"])
	require.NotContains(t, held, "none")
}

func TestKilobytes(t *testing.T) {
	t.Parallel()
	const status = "Name:\tpostgres\nRssAnon:\t    2048 kB\nRssFile:\t       4 kB\n"
	require.EqualValues(t, 2<<20, kilobytes(status, "RssAnon:"))
	require.EqualValues(t, 4<<10, kilobytes(status, "RssFile:"))
	require.Zero(t, kilobytes(status, "RssShmem:"))
}
