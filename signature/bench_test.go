package signature_test

import (
	"bytes"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/signature"
)

var (
	benchBody = bytes.Repeat([]byte("x"), 1024)
	benchTime = time.Unix(1_767_225_600, 0)
)

// BenchmarkSign measures a 1 KB body. "both" is what one attempt costs when the
// Signer is kept, "once" what it costs when it is made for that attempt.
func BenchmarkSign(b *testing.B) {
	signer, secret := newBenchSigner(b)
	b.Run("postrider", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			signer.Postrider(benchTime, benchBody)
		}
	})
	b.Run("standard", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			signer.Standard("dlv_01890a5d-ac96-774b-bcce-b302099a8057", benchTime, benchBody)
		}
	})
	b.Run("both", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			signer.Postrider(benchTime, benchBody)
			signer.Standard("dlv_1", benchTime, benchBody)
		}
	})
	b.Run("both-parallel", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				signer.Postrider(benchTime, benchBody)
				signer.Standard("dlv_1", benchTime, benchBody)
			}
		})
	})
	b.Run("once", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			signer, err := signature.NewSigner(secret)
			require.NoError(b, err)
			signer.Postrider(benchTime, benchBody)
			signer.Standard("dlv_1", benchTime, benchBody)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	signer, secret := newBenchSigner(b)
	header := http.Header{}
	header.Set(signature.HeaderPostrider, signer.Postrider(benchTime, benchBody))
	header.Set(signature.HeaderID, "dlv_1")
	header.Set(signature.HeaderTimestamp, strconv.FormatInt(benchTime.Unix(), 10))
	header.Set(signature.HeaderSignature, signer.Standard("dlv_1", benchTime, benchBody))

	for _, scheme := range []signature.Scheme{signature.SchemePostrider, signature.SchemeStandardWebhooks} {
		b.Run(string(scheme), func(b *testing.B) {
			verifier, err := signature.NewVerifier(signature.Config{
				Scheme:  scheme,
				Secrets: []string{secret},
				Now:     func() time.Time { return benchTime },
			})
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				if err := verifier.Verify(header, benchBody); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func newBenchSigner(b *testing.B) (*signature.Signer, string) {
	b.Helper()
	secret, err := signature.NewSecret()
	require.NoError(b, err)
	signer, err := signature.NewSigner(secret)
	require.NoError(b, err)
	return signer, secret
}
