package signature

import (
	"fmt"
	"io"
)

// What holds keys prints as a summary under every verb, so that no log line or
// test failure can show them. The receivers are values to cover copies too.

// Format implements [fmt.Formatter].
func (c Config) Format(f fmt.State, _ rune) {
	summarize(f, "Config", string(c.Scheme), len(c.Secrets))
}

// Format implements [fmt.Formatter].
func (v Verifier) Format(f fmt.State, _ rune) {
	summarize(f, "Verifier", string(v.scheme), len(v.hmacKeys)+len(v.publicKeys))
}

// Format implements [fmt.Formatter].
func (s Signer) Format(f fmt.State, _ rune) {
	summarize(f, "Signer", string(SchemePostrider), len(s.shown))
}

// Format implements [fmt.Formatter].
func (s Ed25519Signer) Format(f fmt.State, _ rune) {
	summarize(f, "Ed25519Signer", string(SchemeStandardWebhooks), len(s.keys))
}

func summarize(w io.Writer, typeName, scheme string, keys int) {
	// A formatter has no way to report an error, and fmt's own writer has none.
	_, _ = fmt.Fprintf(w, "signature.%s{%s, %d keys}", typeName, scheme, keys)
}
