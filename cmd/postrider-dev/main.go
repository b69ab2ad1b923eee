// Command postrider-dev runs Postrider with an embedded Temporal server, its Web UI and SQLite: nothing has
// to be installed.
package main

import (
	"context"
	"os"

	"github.com/postrider/postrider/internal/app"
	"github.com/postrider/postrider/internal/devserver"
)

func main() {
	os.Exit(app.PostriderDev(os.Args[1:], func(ctx context.Context, cfg app.DevTemporalConfig) (app.DevTemporal, error) {
		return devserver.Start(ctx, devserver.Config{
			DataDir: cfg.DataDir, DatabaseURL: cfg.DatabaseURL, HistoryShards: cfg.HistoryShards,
			Port: cfg.Port, UIPort: cfg.UIPort,
			SearchAttributes: cfg.SearchAttributes, Logger: cfg.Logger,
		})
	}))
}
