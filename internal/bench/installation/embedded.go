package installation

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"

	"go.temporal.io/sdk/client"

	"github.com/postrider/postrider/internal/bench/load"
	"github.com/postrider/postrider/internal/bench/measuring"
	"github.com/postrider/postrider/internal/deployment"
	"github.com/postrider/postrider/models"
)

// StartEmbedded starts postrider-dev: everything in one process, on SQLite.
func StartEmbedded(ctx context.Context, options Options) (_ *Installation, err error) {
	t := &Installation{AdminKey: models.NewAPIKeyToken()}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.Close())
		}
	}()
	home, err := t.makeHome()
	if err != nil {
		return nil, err
	}
	ports, err := freePorts(3)
	if err != nil {
		return nil, err
	}
	dev, err := deployment.Start(deployment.Command{
		Folder: options.Programs, Name: "postrider-dev",
		Environment: slices.Concat([]string{
			"HOME=" + home, "POSTRIDER_DATA_DIR=" + filepath.Join(home, "data"), "POSTRIDER_RECEIVER=off",
			"POSTRIDER_ADMIN_KEY=" + t.AdminKey, "POSTRIDER_LISTEN=" + address(ports[0]),
			"POSTRIDER_TEMPORAL_PORT=" + strconv.Itoa(ports[1]), "POSTRIDER_TEMPORAL_UI_PORT=" + strconv.Itoa(ports[2]),
		}, options.TemporalSettings, options.settings()),
	})
	if err != nil {
		return nil, err
	}
	t.onClose(func() error { return stop(dev) })
	t.Parts = []measuring.Process{{Name: "postrider-dev", PID: dev.PID()}}
	t.APIs = []string{"http://" + address(ports[0])}
	starting, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	for !dev.Stdout.Contains("Admin key") {
		if dev.HasExited() {
			return nil, fmt.Errorf("postrider-dev ended: %s", dev.Stderr.Tail())
		}
		if err := load.Pause(starting, startInterval); err != nil {
			return nil, fmt.Errorf("wait for postrider-dev: %w", err)
		}
	}
	return t, t.connect(ctx, &client.Options{HostPort: address(ports[1])})
}
