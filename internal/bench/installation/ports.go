package installation

import (
	"errors"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
)

// freePorts finds unused ports of 127.0.0.1. They lie below the range that systems use for outgoing connections, so that
// no connection takes one before its process listens.
func freePorts(n int) ([]int, error) {
	const first, last, tries = 20000, 32000, 1000
	var ports []int
	for range tries {
		if len(ports) == n {
			return ports, nil
		}
		port := first + rand.IntN(last-first) //nolint:gosec // no secret
		if slices.Contains(ports, port) {
			continue
		}
		listener, err := net.Listen("tcp", address(port))
		if err != nil {
			continue
		}
		if err := listener.Close(); err != nil {
			return nil, err
		}
		ports = append(ports, port)
	}
	return nil, errors.New("there are no free ports")
}

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
