package signature_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/signature"
)

const (
	attackUnix   = 1_767_225_600
	attackSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	attackBody   = `{"id":"dlv_1"}`
)

// What becomes of a request.
var (
	accepted    error
	noSignature = signature.ErrNoSignature
	mismatch    = signature.ErrSignatureMismatch
	malformed   = signature.ErrMalformedHeader
	outside     = signature.ErrTimestampOutsideTolerance
)

// request is one case of the tables below.
type request struct {
	name   string
	header http.Header
	want   error
}

// material holds right signatures of attackBody, made here rather than by the
// package, to be put in right and wrong places.
type material struct {
	listHex, list64         string // of "<t>.<body>", keyed with the whole secret
	standardHex, standard64 string
	bodyHex, body64         string // of the body alone, keyed with the whole secret
	sha1Hex                 string
	slackHex                string
}

func newMaterial(t *testing.T) material {
	t.Helper()
	decoded, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(attackSecret, "whsec_"))
	require.NoError(t, err)
	list := hmacSum(sha256.New, []byte(attackSecret), fmt.Sprintf("%d.%s", attackUnix, attackBody))
	standard := hmacSum(sha256.New, decoded, fmt.Sprintf("dlv_1.%d.%s", attackUnix, attackBody))
	body := hmacSum(sha256.New, []byte(attackSecret), attackBody)
	return material{
		listHex:     hex.EncodeToString(list),
		list64:      base64.StdEncoding.EncodeToString(list),
		standardHex: hex.EncodeToString(standard),
		standard64:  base64.StdEncoding.EncodeToString(standard),
		bodyHex:     hex.EncodeToString(body),
		body64:      base64.StdEncoding.EncodeToString(body),
		sha1Hex:     hex.EncodeToString(hmacSum(sha1.New, []byte(attackSecret), attackBody)),
		slackHex:    hex.EncodeToString(hmacSum(sha256.New, []byte(attackSecret), fmt.Sprintf("v0:%d:%s", attackUnix, attackBody))),
	}
}

func hmacSum(newHash func() hash.Hash, key []byte, message string) []byte {
	mac := hmac.New(newHash, key)
	mac.Write([]byte(message))
	return mac.Sum(nil)
}

// TestDowngradesAndMalformations sends right signatures in wrong places, and
// headers in wrong forms.
func TestDowngradesAndMalformations(t *testing.T) {
	t.Parallel()
	m := newMaterial(t)
	tables := map[signature.Scheme][]request{
		signature.SchemePostrider: append(listRequests(signature.HeaderPostrider, m),
			request{"Stripe's header", http.Header{signature.HeaderStripe: {"t=1767225600,v1=" + m.listHex}}, noSignature}),
		signature.SchemeStripe: append(listRequests(signature.HeaderStripe, m),
			request{"Postrider's header", http.Header{signature.HeaderPostrider: {"t=1767225600,v1=" + m.listHex}}, noSignature}),
		signature.SchemeStandardWebhooks: standardRequests(m),
		signature.SchemeGitHub:           githubRequests(m),
		signature.SchemeShopify:          shopifyRequests(m),
		signature.SchemeSlack:            slackRequests(m),
	}
	for scheme, requests := range tables {
		verifier := newVerifier(t, scheme, time.Unix(attackUnix, 0), attackSecret)
		late := newVerifier(t, scheme, time.Unix(attackUnix+3600, 0), attackSecret)
		stranger := newVerifier(t, scheme, time.Unix(attackUnix, 0), newSecret(t))
		wantLate := outside
		if scheme == signature.SchemeGitHub || scheme == signature.SchemeShopify {
			wantLate = accepted // nothing in the request tells its age
		}
		for _, r := range requests {
			t.Run(string(scheme)+" "+r.name, func(t *testing.T) {
				t.Parallel()
				err := verifier.Verify(r.header, []byte(attackBody))
				require.ErrorIs(t, err, r.want)
				if !errors.Is(r.want, accepted) {
					requireNoLeak(t, err, attackSecret, m.listHex, m.standard64, m.bodyHex, m.body64, m.sha1Hex, m.slackHex)
					return
				}
				require.ErrorIs(t, late.Verify(r.header, []byte(attackBody)), wantLate)
				require.ErrorIs(t, verifier.Verify(r.header, []byte(attackBody+" ")), mismatch)
				require.ErrorIs(t, verifier.Verify(r.header, nil), mismatch)
				require.ErrorIs(t, stranger.Verify(r.header, []byte(attackBody)), mismatch)
			})
		}
	}
}

// requireNoLeak checks that an error shows neither the secret nor a signature.
func requireNoLeak(t *testing.T, err error, private ...string) {
	t.Helper()
	for _, text := range private {
		require.NotContains(t, err.Error(), text)
	}
}

// listRequests holds for Postrider and Stripe, which share their format.
func listRequests(name string, m material) []request {
	right := "t=1767225600,v1=" + m.listHex
	var requests []request
	for _, c := range []struct {
		name, value string
		want        error
	}{
		{"right", "t=1767225600,v1=" + m.listHex, accepted},
		{"upper-case hex", "t=1767225600,v1=" + strings.ToUpper(m.listHex), accepted},
		{"wrong v1 first", "t=1767225600,v1=" + m.bodyHex + ",v1=" + m.listHex, accepted},
		{"a future version beside it", "t=1767225600,v2=a=b,v1=" + m.listHex, accepted},
		{"v0 with the v1 signature", "t=1767225600,v0=" + m.listHex, noSignature},
		{"v2 with the v1 signature", "t=1767225600,v2=" + m.listHex, noSignature},
		{"v0 right, v1 wrong", "t=1767225600,v1=" + m.bodyHex + ",v0=" + m.listHex, mismatch},
		{"v1 in upper case", "t=1767225600,V1=" + m.listHex, noSignature},
		{"v1a", "t=1767225600,v1a=" + m.listHex, noSignature},
		{"blank after the comma", "t=1767225600, v1=" + m.listHex, noSignature},
		{"truncated", "t=1767225600,v1=" + m.listHex[:62], mismatch},
		{"one byte", "t=1767225600,v1=" + m.listHex[:2], mismatch},
		{"odd number of digits", "t=1767225600,v1=" + m.listHex[:63], malformed},
		{"one byte more", "t=1767225600,v1=" + m.listHex + "00", mismatch},
		{"twice in one", "t=1767225600,v1=" + m.listHex + m.listHex, mismatch},
		{"base64", "t=1767225600,v1=" + m.list64, malformed},
		{"0x", "t=1767225600,v1=0x" + m.listHex, malformed},
		{"empty v1", "t=1767225600,v1=", malformed},
		{"of the body alone", "t=1767225600,v1=" + m.bodyHex, mismatch},
		{"all zero", "t=1767225600,v1=" + strings.Repeat("0", 64), mismatch},
		{"empty", "", noSignature},
		{"blank", " ", malformed},
		{"comma", ",", malformed},
		{"trailing comma", "t=1767225600,v1=" + m.listHex + ",", malformed},
		{"entry without =", "t=1767225600,v1,v1=" + m.listHex, malformed},
		{"only the hex", m.listHex, malformed},
		{"no t", "v1=" + m.listHex, malformed},
		{"t alone", "t=1767225600", noSignature},
		{"two t", "t=1767225600,t=1767225600,v1=" + m.listHex, malformed},
		{"another t first", "t=1,t=1767225600,v1=" + m.listHex, malformed},
		{"empty t", "t=,v1=" + m.listHex, malformed},
		{"empty t beside t", "t=,t=1767225600,v1=" + m.listHex, malformed},
		{"t with sign", "t=+1767225600,v1=" + m.listHex, malformed},
		{"t negative", "t=-1767225600,v1=" + m.listHex, malformed},
		{"t with zero", "t=01767225600,v1=" + m.listHex, malformed},
		{"t in hex", "t=0x69557a00,v1=" + m.listHex, malformed},
		{"t with fraction", "t=1767225600.0,v1=" + m.listHex, malformed},
		{"t with exponent", "t=1.7672256e9,v1=" + m.listHex, malformed},
		{"t with blank", "t=1767225600 ,v1=" + m.listHex, malformed},
		{"t with underscore", "t=1_767_225_600,v1=" + m.listHex, malformed},
		{"t in Arabic digits", "t=١٧٦٧٢٢٥٦٠٠,v1=" + m.listHex, malformed},
		{"t NaN", "t=NaN,v1=" + m.listHex, malformed},
		{"t beyond every calendar", "t=1767225600000000,v1=" + m.listHex, malformed},
		{"t beyond int64", "t=99999999999999999999,v1=" + m.listHex, malformed},
		{"t of another request", "t=1767225601,v1=" + m.listHex, mismatch},
		{"10 signatures", "t=1767225600" + strings.Repeat(",v1=00", 9) + ",v1=" + m.listHex, accepted},
		{"11 signatures", "t=1767225600" + strings.Repeat(",v1=00", 10) + ",v1=" + m.listHex, malformed},
		{"32 entries", "t=1767225600" + strings.Repeat(",v2=00", 30) + ",v1=" + m.listHex, accepted},
		{"33 entries", "t=1767225600" + strings.Repeat(",v2=00", 31) + ",v1=" + m.listHex, malformed},
	} {
		requests = append(requests, request{c.name, http.Header{name: {c.value}}, c.want})
	}
	return append(requests, request{"repeated", http.Header{name: {right, right}}, malformed})
}

func standardRequests(m material) []request {
	standard := func(id, timestamp, value string) http.Header {
		return http.Header{"Webhook-Id": {id}, "Webhook-Timestamp": {timestamp}, "Webhook-Signature": {value}}
	}
	return []request{
		{"right", standard("dlv_1", "1767225600", "v1,"+m.standard64), accepted},
		{"after garbage", standard("dlv_1", "1767225600", "garbage v1,%% v9,x  v1,"+m.standard64), accepted},
		{"v0", standard("dlv_1", "1767225600", "v0,"+m.standard64), noSignature},
		{"v2", standard("dlv_1", "1767225600", "v2,"+m.standard64), noSignature},
		{"v1a without a public key", standard("dlv_1", "1767225600", "v1a,"+m.standard64), noSignature},
		{"V1", standard("dlv_1", "1767225600", "V1,"+m.standard64), noSignature},
		{"empty version", standard("dlv_1", "1767225600", ","+m.standard64), noSignature},
		{"Stripe's separator", standard("dlv_1", "1767225600", "v1="+m.standard64), malformed},
		{"hex", standard("dlv_1", "1767225600", "v1,"+m.standardHex), mismatch},
		{"URL alphabet", standard("dlv_1", "1767225600", "v1,-_-_"), malformed},
		{"without padding", standard("dlv_1", "1767225600", "v1,"+strings.TrimRight(m.standard64, "=")), malformed},
		{"more padding", standard("dlv_1", "1767225600", "v1,"+m.standard64+"="), malformed},
		{"line break within", standard("dlv_1", "1767225600", "v1,"+m.standard64[:20]+"\n"+m.standard64[20:]), malformed},
		{"comma after", standard("dlv_1", "1767225600", "v1,"+m.standard64+",x"), malformed},
		{"truncated", standard("dlv_1", "1767225600", "v1,"+m.standard64[:40]), mismatch},
		{"empty v1", standard("dlv_1", "1767225600", "v1,"), malformed},
		{"blanks only", standard("dlv_1", "1767225600", "  "), noSignature},
		{"keyed with the secret as shown", standard("dlv_1", "1767225600", "v1,"+m.list64), mismatch},
		{"empty id", standard("", "1767225600", "v1,"+m.standard64), malformed},
		{"another id", standard("dlv_2", "1767225600", "v1,"+m.standard64), mismatch},
		{"id in another case", standard("DLV_1", "1767225600", "v1,"+m.standard64), mismatch},
		{"id takes the timestamp", standard("dlv_1.1767225600", "1767225600", "v1,"+m.standard64), malformed},
		{"empty timestamp", standard("dlv_1", "", "v1,"+m.standard64), malformed},
		{"timestamp with sign", standard("dlv_1", "+1767225600", "v1,"+m.standard64), malformed},
		{"timestamp with zero", standard("dlv_1", "01767225600", "v1,"+m.standard64), malformed},
		{"timestamp in milliseconds", standard("dlv_1", "1767225600000", "v1,"+m.standard64), mismatch},
		{"timestamp list", standard("dlv_1", "1767225600, 1767225600", "v1,"+m.standard64), malformed},
		{"repeated id", http.Header{"Webhook-Id": {"dlv_1", "dlv_2"}, "Webhook-Timestamp": {"1767225600"}, "Webhook-Signature": {"v1," + m.standard64}}, malformed},
		{"10 signatures", standard("dlv_1", "1767225600", strings.Repeat("v1,AAAA ", 9)+"v1,"+m.standard64), accepted},
		{"11 signatures", standard("dlv_1", "1767225600", strings.Repeat("v1,AAAA ", 10)+"v1,"+m.standard64), malformed},
		{"32 entries", standard("dlv_1", "1767225600", strings.Repeat("v2,AAAA ", 31)+"v1,"+m.standard64), accepted},
		{"33 entries", standard("dlv_1", "1767225600", strings.Repeat("v1,AAAA ", 32)+"v1,"+m.standard64), malformed},
		{"no timestamp", http.Header{"Webhook-Id": {"dlv_1"}, "Webhook-Signature": {"v1," + m.standard64}}, malformed},
		{"no signature", http.Header{"Webhook-Id": {"dlv_1"}, "Webhook-Timestamp": {"1767225600"}}, noSignature},
	}
}

func githubRequests(m material) []request {
	return []request{
		{"right", http.Header{signature.HeaderGitHub: {"sha256=" + m.bodyHex}}, accepted},
		{"SHA-1 header beside it", http.Header{signature.HeaderGitHub: {"sha256=" + m.bodyHex}, "X-Hub-Signature": {"sha1=" + m.sha1Hex}}, accepted},
		{"SHA-1 header", http.Header{"X-Hub-Signature": {"sha1=" + m.sha1Hex}}, noSignature},
		{"SHA-256 in the SHA-1 header", http.Header{"X-Hub-Signature": {"sha256=" + m.bodyHex}}, noSignature},
		{"SHA-1 in the SHA-256 header", http.Header{signature.HeaderGitHub: {"sha1=" + m.sha1Hex}}, malformed},
		{"SHA-1 called SHA-256", http.Header{signature.HeaderGitHub: {"sha256=" + m.sha1Hex}}, mismatch},
		{"SHA256 in upper case", http.Header{signature.HeaderGitHub: {"SHA256=" + m.bodyHex}}, malformed},
		{"prefix twice", http.Header{signature.HeaderGitHub: {"sha256=sha256=" + m.bodyHex}}, malformed},
		{"prefix alone", http.Header{signature.HeaderGitHub: {"sha256="}}, malformed},
		{"two joined by a proxy", http.Header{signature.HeaderGitHub: {"sha256=" + m.bodyHex + ", sha256=" + m.bodyHex}}, malformed},
		{"right one second", http.Header{signature.HeaderGitHub: {"sha256=00", "sha256=" + m.bodyHex}}, malformed},
		{"right one first", http.Header{signature.HeaderGitHub: {"sha256=" + m.bodyHex, "sha256=00"}}, malformed},
		{"empty one beside", http.Header{signature.HeaderGitHub: {"sha256=" + m.bodyHex, ""}}, malformed},
		{"no values", http.Header{signature.HeaderGitHub: {}}, noSignature},
		{"nothing", nil, noSignature},
	}
}

func shopifyRequests(m material) []request {
	return []request{
		{"right", http.Header{signature.HeaderShopify: {m.body64}}, accepted},
		{"blank before", http.Header{signature.HeaderShopify: {" " + m.body64}}, malformed},
		{"line break after", http.Header{signature.HeaderShopify: {m.body64 + "\n"}}, malformed},
		{"without padding", http.Header{signature.HeaderShopify: {strings.TrimRight(m.body64, "=")}}, malformed},
		{"prefix", http.Header{signature.HeaderShopify: {"sha256=" + m.body64}}, malformed},
		{"newer header", http.Header{signature.HeaderShopifyEvents: {m.body64}}, accepted},
		{"newer header in lower case", http.Header{"shopify-hmac-sha256": {m.body64}}, accepted},
		{"both headers", http.Header{signature.HeaderShopify: {m.body64}, signature.HeaderShopifyEvents: {m.body64}}, accepted},
		{"both, newer right", http.Header{signature.HeaderShopify: {"AAAA"}, signature.HeaderShopifyEvents: {m.body64}}, accepted},
		{"both, older right", http.Header{signature.HeaderShopify: {m.body64}, signature.HeaderShopifyEvents: {"AAAA"}}, accepted},
		{"both, older unreadable", http.Header{signature.HeaderShopify: {"%"}, signature.HeaderShopifyEvents: {m.body64}}, accepted},
		{"both, newer unreadable", http.Header{signature.HeaderShopify: {m.body64}, signature.HeaderShopifyEvents: {"%"}}, accepted},
		{"both wrong", http.Header{signature.HeaderShopify: {"AAAA"}, signature.HeaderShopifyEvents: {"AAAB"}}, mismatch},
		{"both unreadable", http.Header{signature.HeaderShopify: {"%"}, signature.HeaderShopifyEvents: {"&"}}, malformed},
		{"newer header, hex", http.Header{signature.HeaderShopifyEvents: {m.bodyHex}}, mismatch},
		{"newer header twice", http.Header{signature.HeaderShopifyEvents: {m.body64, m.body64}}, malformed},
		{"newer header empty", http.Header{signature.HeaderShopifyEvents: {""}}, noSignature},
		{"other scheme", http.Header{signature.HeaderGitHub: {"sha256=" + m.bodyHex}}, noSignature},
	}
}

func slackRequests(m material) []request {
	slack := func(timestamp, value string) http.Header {
		return http.Header{signature.HeaderSlackTimestamp: {timestamp}, signature.HeaderSlack: {value}}
	}
	return []request{
		{"right", slack("1767225600", "v0="+m.slackHex), accepted},
		{"v1", slack("1767225600", "v1="+m.slackHex), malformed},
		{"no version", slack("1767225600", m.slackHex), malformed},
		{"Stripe's signature", slack("1767225600", "v0="+m.listHex), mismatch},
		{"of the body alone", slack("1767225600", "v0="+m.bodyHex), mismatch},
		{"another timestamp", slack("1767225601", "v0="+m.slackHex), mismatch},
		{"no timestamp", http.Header{signature.HeaderSlack: {"v0=" + m.slackHex}}, malformed},
		{"unreadable timestamp", slack("now", "v0="+m.slackHex), malformed},
		{"two timestamps", http.Header{signature.HeaderSlackTimestamp: {"1767225600", "1767225600"}, signature.HeaderSlack: {"v0=" + m.slackHex}}, malformed},
		{"no signature", http.Header{signature.HeaderSlackTimestamp: {"1767225600"}}, noSignature},
	}
}
