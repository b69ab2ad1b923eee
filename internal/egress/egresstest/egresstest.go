// Package egresstest helps tests that send requests to receivers on this machine.
package egresstest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/egress"
)

// Networks parses networks for egress.Config, such as 127.0.0.0/8.
func Networks(t testing.TB, texts ...string) []egress.Network {
	t.Helper()
	networks := make([]egress.Network, len(texts))
	for i, text := range texts {
		var err error
		networks[i], err = egress.ParseNetwork(text)
		require.NoError(t, err)
	}
	return networks
}
