package app

import (
	"errors"
	"fmt"

	"github.com/postrider/postrider/internal/keyring"
)

// Keys are the flags that hold secrets.
type Keys struct {
	AdminKey string `env:"POSTRIDER_ADMIN_KEY" secret:"" placeholder:"KEY" help:"API key of an administrator, at least 16 characters.${admin_key_default}"`
	Encryption
}

// Encryption is the flag of what reads or writes webhooks' and sources' secrets.
type Encryption struct {
	EncryptionKey []string `env:"POSTRIDER_ENCRYPTION_KEY" secret:"" placeholder:"BASE64" help:"Encrypts secrets at rest, 32 bytes in base64; the first of several encrypts, all decrypt.${encryption_key_default}"`
}

func (k Keys) faults() []error {
	var faults []error
	if k.AdminKey != "" && len(k.AdminKey) < 16 {
		faults = append(faults, errors.New("--admin-key ($POSTRIDER_ADMIN_KEY) must have at least 16 characters"))
	}
	return append(faults, k.Encryption.faults()...)
}

func (e Encryption) faults() []error {
	if len(e.EncryptionKey) == 0 {
		return []error{errors.New("--encryption-key ($POSTRIDER_ENCRYPTION_KEY) is missing; make one with: openssl rand -base64 32")}
	}
	if _, err := e.keyring(); err != nil {
		return []error{fmt.Errorf("--encryption-key ($POSTRIDER_ENCRYPTION_KEY): %w", err)}
	}
	return nil
}

func (e Encryption) keyring() (*keyring.Keyring, error) {
	keys := make([][]byte, len(e.EncryptionKey))
	for i, text := range e.EncryptionKey {
		key, err := keyring.ParseKey(text)
		if err != nil {
			return nil, err
		}
		keys[i] = key
	}
	return keyring.New(keys...)
}
