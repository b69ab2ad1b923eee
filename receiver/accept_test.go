package receiver_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/receiver"
	"github.com/postrider/postrider/signature"
)

func TestAccept(t *testing.T) {
	t.Parallel()
	now := func() time.Time { return sentAt }
	for name, test := range map[string]struct {
		provider     receiver.Provider
		scheme       signature.Scheme
		body, signed string
		id, reply    string
		err          error
	}{
		"event":         {receiver.Stripe, signature.SchemeStripe, stripeBody, stripeBody, "evt_1", "", nil},
		"handshake":     {receiver.Slack, signature.SchemeSlack, `{"type":"url_verification","challenge":"c"}`, `{"type":"url_verification","challenge":"c"}`, "", `{"challenge":"c"}`, nil},
		"not authentic": {receiver.Stripe, signature.SchemeStripe, stripeBody + " ", stripeBody, "", "", signature.ErrSignatureMismatch},
		"malformed":     {receiver.Stripe, signature.SchemeStripe, `{}`, `{}`, "", "", receiver.ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			header, err := signature.Sign(signature.Config{Scheme: test.scheme, Secrets: []string{secret}}, "", sentAt, []byte(test.signed))
			require.NoError(t, err)
			verifier, err := test.provider.Verifier([]string{secret}, time.Minute, now)
			require.NoError(t, err)
			event, reply, err := test.provider.Accept(verifier, header, []byte(test.body))
			require.ErrorIs(t, err, test.err)
			require.Equal(t, test.id, event.ID)
			if test.reply == "" {
				require.Nil(t, reply)
			} else {
				require.Equal(t, test.reply, string(reply.Body))
			}
			var unverified *receiver.UnverifiedError
			require.Equal(t, name == "not authentic", errors.As(err, &unverified))
		})
	}
}

func TestVerifierOfAProvider(t *testing.T) {
	t.Parallel()
	_, err := receiver.Custom("mine", nil).Verifier([]string{secret}, 0, nil)
	require.ErrorIs(t, err, receiver.ErrInvalidOptions)
	_, err = receiver.Stripe.Verifier(nil, 0, nil)
	require.ErrorIs(t, err, signature.ErrInvalidSecret)
}

func TestReadBody(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		length, said int64
		err          error
	}{
		"fits":           {10, 10, nil},
		"unknown length": {10, -1, nil},
		"too large":      {11, -1, receiver.ErrBodyTooLarge},
		"said to be":     {0, 11, receiver.ErrBodyTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := strings.Repeat("x", int(test.length))
			r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
			r.ContentLength = test.said
			read, err := receiver.ReadBody(httptest.NewRecorder(), r, 10)
			require.ErrorIs(t, err, test.err)
			if test.err == nil {
				require.Equal(t, body, string(read))
			}
		})
	}
}
