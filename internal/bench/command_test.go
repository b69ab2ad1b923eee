package bench

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBadCommandLines(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		args []string
		want []string
	}{
		{"nothing to measure", []string{"throughput"}, []string{"one of --start, --embedded and --url"}},
		{"two at once", []string{"--start", "--embedded"}, []string{"one of --start, --embedded and --url"}},
		{"a URL without a key", []string{"--url=http://127.0.0.1:1"}, []string{"--admin-key"}},
		{"an unknown scenario", []string{"speed", "--start"}, []string{"no scenario speed", "throughput", "floor"}},
		{"the floor of what runs", []string{"floor-c16", "--url=http://127.0.0.1:1", "--admin-key=k"}, []string{"floor-c16 needs --temporal-address"}},
		{"growth of what runs", []string{"growth", "--embedded"}, []string{"growth-1k needs --start"}},
		{"several faults", []string{"--start", "--duration=1ms", "--runs=0", "--payload=1000000", "--setting=x", "--visibility-sql=/does/not/exist"},
			[]string{"--duration", "--runs", "--payload", "NAME=VALUE", "--visibility-sql"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr strings.Builder
			require.Equal(t, 1, Main(test.args, &stdout, &stderr))
			require.Empty(t, stdout.String())
			for _, want := range test.want {
				require.Contains(t, stderr.String(), want)
			}
		})
	}
}

func TestScenariosAreChosen(t *testing.T) {
	t.Parallel()
	names := func(c Command) []string {
		wanted, err := c.chosen()
		require.NoError(t, err)
		var names []string
		for _, s := range wanted {
			names = append(names, s.name)
		}
		return names
	}
	require.Equal(t, []string{"throughput-c16", "floor-c16", "throughput-c64"},
		names(Command{Start: true, Scenarios: []string{"floor-c16", "throughput", "throughput-c16"}}))
	everything := names(Command{Start: true})
	require.Len(t, everything, len(scenarios()))
	running := names(Command{URL: []string{"http://127.0.0.1:1"}})
	require.Contains(t, running, "latency-50")
	require.NotContains(t, running, "floor-c16")
	require.NotContains(t, running, "growth-1k", "nobody's database is filled unasked")

	seen := map[string]bool{}
	for _, s := range scenarios() {
		require.False(t, seen[s.name], "%s twice", s.name)
		seen[s.name] = true
		require.NotEmpty(t, s.help, s.name)
		require.True(t, (s.concurrency > 0) != (s.perSecond > 0), "%s is a closed loop or an open one", s.name)
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	var stdout, stderr strings.Builder
	require.Zero(t, Main([]string{"--help"}, &stdout, &stderr))
	require.Contains(t, stdout.String(), "--temporal-setting")
	require.Contains(t, stdout.String(), "growth")
}
