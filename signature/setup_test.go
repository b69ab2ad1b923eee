package signature_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/signature"
)

func newSecret(t testing.TB) string {
	t.Helper()
	secret, err := signature.NewSecret()
	require.NoError(t, err)
	return secret
}

func newVerifier(t testing.TB, scheme signature.Scheme, now time.Time, secrets ...string) *signature.Verifier {
	t.Helper()
	verifier, err := signature.NewVerifier(signature.Config{
		Scheme:  scheme,
		Secrets: secrets,
		Now:     func() time.Time { return now },
	})
	require.NoError(t, err)
	return verifier
}

func standardHeaders(id string, timestamp time.Time, value string) http.Header {
	header := http.Header{}
	header.Set(signature.HeaderID, id)
	header.Set(signature.HeaderTimestamp, strconv.FormatInt(timestamp.Unix(), 10))
	header.Set(signature.HeaderSignature, value)
	return header
}
