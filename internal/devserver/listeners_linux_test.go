package devserver_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestListeners looks at a server from outside: all that it opens is on
// loopback, and Stop closes it.
func TestListeners(t *testing.T) {
	t.Parallel()
	process := newChild(t, t.TempDir())
	for range 2 {
		addresses := process.do("start")
		open := listeners(t, process.cmd.Process.Pid)
		require.Len(t, open, 5, "four services and the UI")
		for _, address := range open {
			require.True(t, strings.HasPrefix(address, "127.0.0.1:"), address)
		}
		require.Contains(t, open, addresses[0])
		require.Contains(t, open, strings.TrimPrefix(addresses[1], "http://"))
		process.do("stop")
		require.Empty(t, listeners(t, process.cmd.Process.Pid))
	}
}

// listeners reads from /proc which TCP addresses a process listens on.
func listeners(t *testing.T, pid int) []string {
	t.Helper()
	sockets := make(map[string]bool)
	descriptors, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	require.NoError(t, err)
	for _, descriptor := range descriptors {
		// A descriptor may be closed meanwhile.
		if target, err := os.Readlink(descriptor); err == nil {
			sockets[target] = true
		}
	}
	var addresses []string
	for _, table := range []string{"tcp", "tcp6"} {
		content, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", pid, table))
		require.NoError(t, err)
		for _, line := range strings.Split(string(content), "\n")[1:] {
			const local, state, inode = 1, 3, 9
			fields := strings.Fields(line)
			if len(fields) <= inode || fields[state] != "0A" || !sockets["socket:["+fields[inode]+"]"] {
				continue
			}
			addresses = append(addresses, readableAddress(t, fields[local]))
		}
	}
	return addresses
}

// readableAddress turns an IPv4 address of /proc/net/tcp, which is in the
// byte order of the machine, into its usual form. Others stay as they are.
func readableAddress(t *testing.T, address string) string {
	t.Helper()
	var d, c, b, a byte
	var port uint16
	if len(address) != len("0100007F:1F90") {
		return address
	}
	_, err := fmt.Sscanf(address, "%02X%02X%02X%02X:%04X", &d, &c, &b, &a, &port)
	require.NoError(t, err)
	return fmt.Sprintf("%d.%d.%d.%d:%d", a, b, c, d, port)
}
