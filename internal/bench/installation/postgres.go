package installation

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"

	"github.com/jackc/pgx/v5"

	"github.com/postrider/postrider/internal/deployment"
)

// execute runs statements on a connection of their own.
func execute(ctx context.Context, databaseURL, statements string) error {
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statements)
	return errors.Join(err, conn.Close(ctx))
}

// databaseURL is the URL of another database of a server.
func databaseURL(server, name string) (string, error) {
	parsed, err := url.Parse(server)
	if err != nil {
		return "", err
	}
	parsed.Path = "/" + name
	return parsed.String(), nil
}

// applyVisibilitySQL runs a file of statements, unless its name is empty, in Temporal's visibility database.
func applyVisibilitySQL(ctx context.Context, file, server string) error {
	if file == "" {
		return nil
	}
	statements, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("--visibility-sql: %w", err)
	}
	visibility, err := databaseURL(server, deployment.VisibilityDatabase)
	if err != nil {
		return err
	}
	if err := execute(ctx, visibility, string(statements)); err != nil {
		return fmt.Errorf("--visibility-sql: %w", err)
	}
	return nil
}
