package app

import (
	"encoding"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFlagValues(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		flag encoding.TextUnmarshaler
		good []string
		bad  []string
		says string
	}{
		{new(logLevel), []string{"debug", "info", "warn", "ERROR"}, []string{"loud", "", "5"}, "expected debug, info, warn or error"},
		{
			new(portNumber), []string{"0", "1", "65535"}, []string{"", "65536", "-1", "http", "1.5"},
			"expected a port from 1 to 65535, or 0 for any free one",
		},
		{
			new(proxyNetwork), []string{"10.0.0.0/24", "10.1.2.3/32", "fd00::/8"}, []string{"", "10.1.2.3", "10.0.0.0/99", "proxy", "10.0.0.1:80", "fe80::1%eth0"},
			"expected networks such as 10.0.0.0/24, separated by commas; a single proxy is 10.0.0.1/32",
		},
	} {
		for _, text := range test.good {
			require.NoError(t, test.flag.UnmarshalText([]byte(text)), text)
		}
		for _, text := range test.bad {
			require.EqualError(t, test.flag.UnmarshalText([]byte(text)), test.says, text)
		}
	}
	var single proxyNetwork
	require.NoError(t, single.UnmarshalText([]byte("10.1.2.3/32")))
	require.Equal(t, "10.1.2.3/32", prefixes([]proxyNetwork{single})[0].String())
}
