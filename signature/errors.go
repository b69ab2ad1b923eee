package signature

import "errors"

// What [Verifier.Verify] returns, wrapped with the scheme and the reason. All of
// them mean that the request must not be processed.
var (
	// ErrNoSignature says that the request carries no signature that the scheme
	// accepts: the header is absent or empty, or has unknown versions only.
	ErrNoSignature = errors.New("no signature")
	// ErrSignatureMismatch says that no signature was made with one of the
	// secrets for exactly this body, id and timestamp.
	ErrSignatureMismatch = errors.New("signature does not match")
	// ErrTimestampOutsideTolerance says that the signature is right but was
	// made too long ago, or too far in the future.
	ErrTimestampOutsideTolerance = errors.New("timestamp outside tolerance")
	// ErrMalformedHeader says that a header that the scheme needs is missing,
	// repeated or unreadable.
	ErrMalformedHeader = errors.New("malformed header")
)

// What constructors return, wrapped with the reason.
var (
	// ErrInvalidSecret says that a secret is missing or is not of the form that
	// the scheme needs.
	ErrInvalidSecret = errors.New("invalid secret")
	// ErrInvalidConfig says that a setting other than a secret cannot be used.
	ErrInvalidConfig = errors.New("invalid configuration")
)
