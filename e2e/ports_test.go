package e2e

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// ports hands out free ports, each once. They lie below those that systems choose by themselves for
// outgoing connections, so that nobody takes one while its process is between two starts.
var ports = &portList{taken: map[int]bool{}}

type portList struct {
	mu    sync.Mutex
	taken map[int]bool
}

func (l *portList) next(t testing.TB) int {
	t.Helper()
	const first, last, tries = 20000, 32000, 1000
	l.mu.Lock()
	defer l.mu.Unlock()
	for range tries {
		port := first + rand.IntN(last-first)
		if l.taken[port] {
			continue
		}
		listener, err := net.Listen("tcp", address(port))
		if err != nil {
			continue
		}
		require.NoError(t, listener.Close())
		l.taken[port] = true
		return port
	}
	require.FailNow(t, "no free port")
	return 0
}

func address(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
