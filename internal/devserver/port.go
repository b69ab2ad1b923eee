package devserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
)

// loopback is the only address that anything of this package listens on.
const loopback = "127.0.0.1"

// wsaEAddrInUse is what Windows returns for syscall.EADDRINUSE.
const wsaEAddrInUse = syscall.Errno(10048)

// ports are the gRPC ports of Temporal's services.
type ports struct {
	frontend, history, matching, worker int
}

func hostPort(port int) string { return net.JoinHostPort(loopback, strconv.Itoa(port)) }

func listen(ctx context.Context, port int) (net.Listener, error) {
	var config net.ListenConfig
	return config.Listen(ctx, "tcp4", hostPort(port))
}

// probePort reports why port cannot be listened on.
func probePort(ctx context.Context, port int) error {
	listener, err := listen(ctx, port)
	if err != nil {
		return err
	}
	return listener.Close()
}

// takePorts finds a free port for every service. All are held open until the
// last is found, so that none is chosen twice. frontend is fixed unless 0.
func takePorts(ctx context.Context, frontend int) (ports, error) {
	var p ports
	for i, port := range []*int{&p.frontend, &p.history, &p.matching, &p.worker} {
		wanted := 0
		if i == 0 {
			wanted = frontend
		}
		listener, err := listen(ctx, wanted)
		if err != nil {
			return ports{}, err
		}
		defer func() { _ = listener.Close() }()
		*port = listener.Addr().(*net.TCPAddr).Port
	}
	return p, nil
}

func isAddrInUse(err error) bool {
	return errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, wsaEAddrInUse)
}

// portError says in one sentence which port failed and which flag changes it.
func portError(name string, port int, flag string, err error) error {
	if isAddrInUse(err) {
		return fmt.Errorf("temporal %s %d is %w: choose another with %s", name, port, ErrPortInUse, flag)
	}
	return fmt.Errorf("listen on temporal %s %d: %w", name, port, err)
}
