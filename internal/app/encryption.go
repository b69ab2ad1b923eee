package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/postrider/postrider/internal/store"
)

// RotateEncryption seals all secrets under the first encryption key.
type RotateEncryption struct {
	Database
	Encryption
}

// Run seals what another key sealed, says how much that was, and fails when something is left.
func (r *RotateEncryption) Run(ctx context.Context, out io.Writer) error {
	if err := errors.Join(append(r.Database.faults(), r.Encryption.faults()...)...); err != nil {
		return err
	}
	keyring, err := r.keyring()
	if err != nil {
		return err
	}
	return r.withStore(ctx, keyring, func(store *store.Store) error {
		result, err := store.RotateEncryption(ctx)
		_, _ = fmt.Fprintf(out, "secrets sealed under the first key: %d of webhooks, %d of sources; the headers of %d webhooks; and %d kept answers\n",
			result.Webhooks, result.Sources, result.Headers, result.Answers)
		switch {
		case err != nil:
			return fmt.Errorf("%w; run it again, it goes on where it stopped", err)
		case len(result.Unreadable) > 0:
			return fmt.Errorf("no key that was given opens the secrets of %s; give the key that sealed them too, or delete these",
				strings.Join(result.Unreadable, ", "))
		case result.Left > 0:
			return fmt.Errorf("%d secrets were sealed under another key meanwhile: restart every process with the new key first, then run this again", result.Left)
		}
		_, err = fmt.Fprintln(out, "no other key is needed any more")
		return errors.Join(err, audit(ctx, store, "keys rotate-encryption", ""))
	})
}
