package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/postrider/postrider/internal/keyring"
	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/models"
)

// KeyCommands manage API keys in the database and the encryption key.
type KeyCommands struct {
	Create           CreateKey        `cmd:"" help:"Make a key and print it: it cannot be read again."`
	List             ListKeys         `cmd:"" help:"List the keys that are not revoked."`
	Revoke           RevokeKey        `cmd:"" help:"Revoke a key."`
	RotateEncryption RotateEncryption `cmd:"" help:"Seal all secrets under the first of several encryption keys, so that the others can be taken away."`
}

// CreateKey makes a key.
type CreateKey struct {
	Database
	Owner string `xor:"who" required:"" placeholder:"ID" help:"The owner whose key it is, by ID or external_id; either this or --admin."`
	Admin bool   `xor:"who" required:"" help:"Make an administrator's key; either this or --owner."`

	Role      models.Role   `enum:"full,publish,read" default:"full" help:"What the key is for: ${enum}. Default: ${default}."`
	ExpiresIn time.Duration `placeholder:"DURATION" help:"How long the key lives, such as 720h. Default: it has no end."`
}

// ListKeys lists keys.
type ListKeys struct {
	Database
	Owner string `placeholder:"ID" help:"Only this owner's, by ID or external_id."`
}

// RevokeKey revokes a key.
type RevokeKey struct {
	Database
	ID       string `arg:"" help:"The key's ID, key_…"`
	AdminKey string `env:"POSTRIDER_ADMIN_KEY" placeholder:"KEY" help:"The API's --admin-key, if it has one: then the last administrator's key in the database may go."`
}

// withStore runs a function with the database open.
func (d Database) withStore(ctx context.Context, keyring *keyring.Keyring, use func(*store.Store) error) (err error) {
	if err := errors.Join(d.faults()...); err != nil {
		return err
	}
	store, err := d.store(ctx, store.Config{Keyring: keyring})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	return use(store)
}

// Run makes the key and prints it alone, for scripts.
func (c *CreateKey) Run(ctx context.Context, out io.Writer) error {
	if c.ExpiresIn < 0 {
		return errors.New("--expires-in must be a duration such as 720h")
	}
	return c.withStore(ctx, nil, func(store *store.Store) error {
		var end *time.Time
		if c.ExpiresIn > 0 {
			at := store.Now().Add(c.ExpiresIn)
			end = &at
		}
		owner, err := ownerID(ctx, store, c.Owner)
		if err != nil {
			return err
		}
		key, token, err := store.CreateAPIKey(ctx, owner, c.Role, end)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(out, token)
		return errors.Join(err, audit(ctx, store, "keys create", key.ID))
	})
}

// Run prints the keys as a table.
func (l *ListKeys) Run(ctx context.Context, out io.Writer) error {
	return l.withStore(ctx, nil, func(store *store.Store) error {
		owner, err := ownerID(ctx, store, l.Owner)
		if err != nil {
			return err
		}
		keys, err := store.APIKeys(ctx, models.Scope{OwnerID: owner})
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		_, _ = fmt.Fprintln(table, "ID\tKEY\tOWNER\tROLE\tCREATED\tEXPIRES\tLAST USED")
		for _, key := range keys {
			owner := key.OwnerID
			if key.Admin() {
				owner = "administrator"
			}
			_, _ = fmt.Fprintf(table, "%s\t%s…\t%s\t%s\t%s\t%s\t%s\n", key.ID, key.Prefix, owner, key.Role,
				key.CreatedAt.UTC().Format(time.RFC3339), timeOrNever(key.ExpiresAt), timeOrNever(key.LastUsedAt))
		}
		return table.Flush()
	})
}

// ownerID returns the ID of the owner that is named by its ID or external_id; empty for an empty name.
func ownerID(ctx context.Context, store *store.Store, name string) (string, error) {
	if name == "" {
		return "", nil
	}
	owner, err := store.OwnerNamed(ctx, name)
	if errors.Is(err, models.ErrNotFound) {
		return "", fmt.Errorf("there is no owner %s", name)
	}
	return owner.ID, err
}

// audit adds what a command did to the trail. The name of who typed it is not known.
func audit(ctx context.Context, store *store.Store, command, objectID string) error {
	err := store.RecordAudit(ctx, &models.AuditEntry{Actor: "command-line", Admin: true, Action: command, ObjectID: objectID})
	if err != nil {
		return fmt.Errorf("done, but not written into the trail: %w", err)
	}
	return nil
}

func timeOrNever(at *time.Time) string {
	if at == nil {
		return "never"
	}
	return at.UTC().Format(time.RFC3339)
}

// Run revokes the key.
func (r *RevokeKey) Run(ctx context.Context, out io.Writer) error {
	return r.withStore(ctx, nil, func(store *store.Store) error {
		revoke := store.RevokeAPIKey
		if r.AdminKey != "" {
			revoke = store.RevokeAnyAPIKey
		}
		err := revoke(ctx, r.ID)
		if errors.Is(err, models.ErrLastAdminKey) {
			return errors.New("no administrator's key that does not expire would be left: make another first with `keys create --admin`")
		}
		if errors.Is(err, models.ErrNotFound) {
			return fmt.Errorf("there is no key %s that could be revoked", r.ID)
		}
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(out, r.ID, "is revoked")
		return errors.Join(err, audit(ctx, store, "keys revoke", r.ID))
	})
}
