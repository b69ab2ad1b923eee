package signature_test

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/postrider/postrider/signature"
)

// A sender writes both headers. While a rotation is in its grace, the previous
// secret signs too.
func ExampleSigner() {
	signer, err := signature.NewSigner("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		fmt.Println(err)
		return
	}
	now := time.Unix(1767225600, 0)
	body := []byte(`{"id":"dlv_1","event":"order.created"}`)
	fmt.Println(signer.Postrider(now, body))
	fmt.Println(signer.Standard("dlv_1", now, body))
	// Output:
	// t=1767225600,v1=48bba93ed0262e40455d15da10ab3abe50a49715bf6955561ca1445093d2a164
	// v1,5jWStlfa8nrlijDRlhNx1ZfBZeaYjFbIyD+SjA5khUQ=
}

// A handler verifies the body as it was received, before it parses it.
func ExampleVerifier_Verify() {
	verifier, err := signature.NewVerifier(signature.Config{
		Scheme:  signature.SchemePostrider,
		Secrets: []string{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			http.Error(w, "unreadable body", http.StatusBadRequest)
			return
		}
		if err := verifier.Verify(r.Header, body); err != nil {
			slog.WarnContext(r.Context(), "webhook refused", "error", err)
			http.Error(w, "invalid signature", http.StatusUnauthorized)
			return
		}
		w.WriteHeader(http.StatusOK)
	})
	mux := http.NewServeMux()
	mux.Handle("POST /webhooks", handler)
}

func ExampleVerifier_Verify_postrider() {
	verifier, err := signature.NewVerifier(signature.Config{
		Scheme:  signature.SchemePostrider,
		Secrets: []string{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
		Now:     func() time.Time { return time.Unix(1767225660, 0) }, // leave out in production
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	header := http.Header{}
	header.Set(signature.HeaderPostrider, "t=1767225600,v1=48bba93ed0262e40455d15da10ab3abe50a49715bf6955561ca1445093d2a164")

	fmt.Println(verifier.Verify(header, []byte(`{"id":"dlv_1","event":"order.created"}`)))
	fmt.Println(verifier.Verify(header, []byte(`{"id":"dlv_1","event":"order.deleted"}`)))
	// Output:
	// <nil>
	// signature: verify postrider: signature does not match
}

func ExampleVerifier_Verify_stripe() {
	verifier, err := signature.NewVerifier(signature.Config{
		Scheme:    signature.SchemeStripe,
		Secrets:   []string{"whsec_test_secret"},
		Tolerance: 10 * time.Minute,
		Now:       func() time.Time { return time.Unix(1492774577, 0).Add(time.Hour) }, // leave out in production
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	header := http.Header{}
	header.Set(signature.HeaderStripe,
		"t=1492774577,v1=88a022085c6bdb887b02cb26ff76dd681234d9675c0f22844059f55552a8883a")

	err = verifier.Verify(header, []byte(`{"id":"evt_test_webhook","object":"event"}`))
	fmt.Println(errors.Is(err, signature.ErrTimestampOutsideTolerance))
	fmt.Println(err)
	// Output:
	// true
	// signature: verify stripe: timestamp outside tolerance: 1h0m0s old, tolerance 10m0s
}

func ExampleVerifier_Verify_gitHub() {
	verifier, err := signature.NewVerifier(signature.Config{
		Scheme:  signature.SchemeGitHub,
		Secrets: []string{"It's a Secret to Everybody"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	header := http.Header{}
	header.Set(signature.HeaderGitHub, "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17")
	fmt.Println(verifier.Verify(header, []byte("Hello, World!")))

	header.Del(signature.HeaderGitHub)
	header.Set("X-Hub-Signature", "sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59")
	fmt.Println(verifier.Verify(header, []byte("Hello, World!")))
	// Output:
	// <nil>
	// signature: verify github: no signature: X-Hub-Signature-256 is missing
}

// The hmac scheme describes senders that sign the bare body in their own way.
func ExampleSign_hmac() {
	cfg := signature.Config{
		Scheme:  signature.SchemeHMAC,
		Secrets: []string{"hush-hush"},
		HMAC: &signature.HMACConfig{
			Header:   "X-Acme-Signature",
			Prefix:   "sha512=",
			Encoding: signature.EncodingBase64,
			Hash:     signature.HashSHA512,
		},
	}
	body := []byte(`{"id":1}`)
	header, err := signature.Sign(cfg, "", time.Time{}, body)
	if err != nil {
		fmt.Println(err)
		return
	}
	verifier, err := signature.NewVerifier(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(verifier.Verify(header, body))
	// Output: <nil>
}
