package models

import (
	"fmt"
	"time"
)

// MaxEarlierSecrets is how many earlier secrets of a webhook sign beside the present one.
const MaxEarlierSecrets = 5

// Rotation gives a webhook a new secret.
type Rotation struct {
	Secret string
	// Signing is what kind of secret it is, and PublicKey its public half; empty where it has none.
	Signing   Signing
	PublicKey string
	// Grace is for how long the secret before it signs too.
	Grace time.Duration
	// EndEarlier ends the graces of all that came before that one at once.
	EndEarlier bool
}

// SecretsSignError says that a webhook has as many earlier secrets in their grace as it may.
type SecretsSignError struct {
	// Until is when the first of them ends.
	Until time.Time
}

// Error says when there is room for one more.
func (e *SecretsSignError) Error() string {
	return fmt.Sprintf("%d earlier secrets sign until %s or longer", MaxEarlierSecrets, e.Until.Format(time.RFC3339))
}
