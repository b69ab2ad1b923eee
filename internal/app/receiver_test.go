package app

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/signature"
)

func TestReceiver(t *testing.T) {
	t.Parallel()
	secret, err := signature.NewSecret()
	require.NoError(t, err)
	other, err := signature.NewSecret()
	require.NoError(t, err)
	body := `{"id":"dlv_1","data":{"n":1}}`
	for name, test := range map[string]struct {
		options Listen
		signer  string
		says    string
		answers []int
	}{
		"a valid signature":  {Listen{Secret: secret, Status: 200}, secret, "signature  valid", []int{200}},
		"an invalid one":     {Listen{Secret: secret, Status: 200}, other, "signature  INVALID", []int{200}},
		"without a secret":   {Listen{Status: 200}, secret, "not verified: no --secret given", []int{200}},
		"a status":           {Listen{Status: 410}, secret, "→ 410", []int{410, 410}},
		"failing at first":   {Listen{Status: 204, FailFirst: 2}, secret, "→ 500", []int{500, 500, 204}},
		"taking a short nap": {Listen{Status: 200, Delay: time.Millisecond}, secret, "→ 200", []int{200}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			receiver, err := newReceiver(test.options, &out)
			require.NoError(t, err)
			for _, want := range test.answers {
				request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/hook", strings.NewReader(body))
				header, err := signature.Sign(signature.Config{Scheme: signature.SchemePostrider, Secrets: []string{test.signer}}, "", time.Now(), []byte(body))
				require.NoError(t, err)
				request.Header = header
				request.Header.Set("X-Webhook-Event", "order.created")
				request.Header.Set("X-Webhook-Delivery", "dlv_1")
				request.Header.Set("X-Webhook-Attempt", "1")
				answer := httptest.NewRecorder()
				receiver.ServeHTTP(answer, request)
				require.Equal(t, want, answer.Code)
			}
			require.Contains(t, out.String(), test.says)
			require.Contains(t, out.String(), "event      order.created")
			require.Contains(t, out.String(), "delivery   dlv_1, attempt 1")
			require.Contains(t, out.String(), `"n": 1`)
			require.NotContains(t, out.String(), secret)
		})
	}
}
