package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
)

// listen takes a port, or says in one line why it cannot and which flag helps.
func listen(ctx context.Context, address, flag string) (net.Listener, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s is already in use: stop the other program or choose another address with %s", address, flag)
	case err != nil:
		return nil, fmt.Errorf("cannot listen on %s (%s): %w", address, flag, err)
	}
	return listener, nil
}
