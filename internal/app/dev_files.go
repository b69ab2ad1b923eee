package app

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/postrider/postrider/internal/keyring"
	"github.com/postrider/postrider/models"
)

// fillIn makes what was not configured, once, and keeps it in the data directory.
func (d *Dev) fillIn(temporal DevTemporal) error {
	if d.DatabaseURL == "" {
		file := filepath.Join(d.DataDir, "postrider.db")
		if err := private(file); err != nil {
			return err
		}
		d.DatabaseURL = "sqlite://" + file
	}
	if d.TemporalUIURL == "" {
		d.TemporalUIURL = temporal.UIURL()
	}
	if d.AdminKey == "" {
		key, err := kept(filepath.Join(d.DataDir, "admin.key"), models.NewAPIKeyToken)
		if err != nil {
			return err
		}
		d.AdminKey = key
	}
	if len(d.EncryptionKey) == 0 {
		key, err := kept(filepath.Join(d.DataDir, "encryption.key"), keyring.NewKey)
		if err != nil {
			return err
		}
		d.EncryptionKey = []string{key}
	}
	return nil
}

// private makes a file that only its owner may read, or makes one so that is there; SQLite gives the files beside it the
// same mode.
func private(file string) error {
	made, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(made.Chmod(0o600), made.Close())
}

// kept reads a secret from a file, or makes it and writes it there.
func kept(file string, generate func() string) (string, error) {
	content, err := os.ReadFile(file)
	if err == nil {
		return strings.TrimSpace(string(content)), nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	secret := generate()
	if err := os.WriteFile(file, []byte(secret+"\n"), 0o600); err != nil {
		return "", err
	}
	return secret, nil
}
