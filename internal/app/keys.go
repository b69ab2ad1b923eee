package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/postrider/postrider/models"
)

// KeyCommands manage API keys in the database.
type KeyCommands struct {
	Create CreateKey `cmd:"" help:"Make a key and print it: it cannot be read again."`
	List   ListKeys  `cmd:"" help:"List the keys that are not revoked."`
	Revoke RevokeKey `cmd:"" help:"Revoke a key."`
}

// CreateKey makes a key.
type CreateKey struct {
	Database
	Owner string `xor:"who" required:"" placeholder:"ID" help:"The owner whose key it is; either this or --admin."`
	Admin bool   `xor:"who" required:"" help:"Make an administrator's key; either this or --owner."`
}

// ListKeys lists keys.
type ListKeys struct {
	Database
	Owner string `placeholder:"ID" help:"Only this owner's."`
}

// RevokeKey revokes a key.
type RevokeKey struct {
	Database
	ID string `arg:"" help:"The key's ID, key_…"`
}

// withStore runs a function with the database open.
func (d Database) withStore(ctx context.Context, use func(*models.Store) error) (err error) {
	if err := errors.Join(d.faults()...); err != nil {
		return err
	}
	store, err := d.store(ctx, models.Config{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	return use(store)
}

// Run makes the key and prints it alone, for scripts.
func (c *CreateKey) Run(ctx context.Context, out io.Writer) error {
	return c.withStore(ctx, func(store *models.Store) error {
		_, token, err := store.CreateAPIKey(ctx, c.Owner)
		if errors.Is(err, models.ErrNotFound) {
			return fmt.Errorf("there is no owner %s", c.Owner)
		}
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(out, token)
		return err
	})
}

// Run prints the keys as a table.
func (l *ListKeys) Run(ctx context.Context, out io.Writer) error {
	return l.withStore(ctx, func(store *models.Store) error {
		keys, err := store.APIKeys(ctx, models.Scope{OwnerID: l.Owner})
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		_, _ = fmt.Fprintln(table, "ID\tKEY\tOWNER\tCREATED")
		for _, key := range keys {
			owner := key.OwnerID
			if key.Admin() {
				owner = "administrator"
			}
			_, _ = fmt.Fprintf(table, "%s\t%s…\t%s\t%s\n", key.ID, key.Prefix, owner, key.CreatedAt.Format(time.RFC3339))
		}
		return table.Flush()
	})
}

// Run revokes the key.
func (r *RevokeKey) Run(ctx context.Context, out io.Writer) error {
	return r.withStore(ctx, func(store *models.Store) error {
		err := store.RevokeAPIKey(ctx, r.ID)
		if errors.Is(err, models.ErrNotFound) {
			return fmt.Errorf("there is no key %s that could be revoked", r.ID)
		}
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(out, r.ID, "is revoked")
		return err
	})
}
