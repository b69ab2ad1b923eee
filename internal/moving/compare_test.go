package moving

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDifference(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ have, want, patch string }{
		"the same":           {`{"url":"a","events":["x"],"rate_limit":5,"id":"wh_1"}`, `{"url":"a","events":["x"],"rate_limit":5.0}`, `{}`},
		"other text":         {`{"url":"a"}`, `{"url":"b"}`, `{"url":"b"}`},
		"other list":         {`{"events":["x","y"]}`, `{"events":["x"]}`, `{"events":["x"]}`},
		"other number":       {`{"rate_limit":null}`, `{"rate_limit":5}`, `{"rate_limit":5}`},
		"no text":            {`{}`, `{"description":""}`, `{}`},
		"not named":          {`{"rate_limit":5}`, `{}`, `{}`},
		"paused":             {`{"active":true}`, `{"active":false}`, `{"active":false}`},
		"secret":             {`{}`, `{"secret":"s"}`, `{}`},
		"headers":            {`{"headers":{"x-a":"1","X-B":"2","X-C":"3"}}`, `{"headers":{"X-A":"1","X-B":"5","X-D":"6"}}`, `{"headers":{"X-B":"5","X-D":"6"}}`},
		"metadata":           {`{"metadata":{"a":"1"}}`, `{"metadata":{"a":"1","A":"1"}}`, `{"metadata":{"A":"1"}}`},
		"metadata, none yet": {`{}`, `{"metadata":{"a":"1"}}`, `{"metadata":{"a":"1"}}`},
		"signature":          {`{"signatures":[{"header":"X","prefix":"v0=","scheme":"hmac"}]}`, `{"signatures":[{"header":"X","prefix":"v0=","secret":"s"}]}`, `{}`},
		"other signature":    {`{"signatures":[{"header":"X","prefix":"v0="}]}`, `{"signatures":[{"header":"X","prefix":"v1=","secret":"s"}]}`, `{"signatures":[{"header":"X","prefix":"v1=","secret":"s"}]}`},
		"no signature yet":   {`{"signatures":[]}`, `{"signatures":[{"header":"X"}]}`, `{"signatures":[{"header":"X"}]}`},
		"empty prefix":       {`{"signatures":[{"header":"X"}]}`, `{"signatures":[{"header":"X","prefix":""}]}`, `{}`},
		"credentials":        {`{"auth":{"basic":{"username":"•••","password":"•••"}}}`, `{"auth":{"basic":{"username":"u","password":"p"}}}`, `{}`},
		"other credentials":  {`{"auth":{"bearer":{"token":"•••"}}}`, `{"auth":{"basic":{"username":"u"}}}`, `{"auth":{"basic":{"username":"u"}}}`},
		"certificate":        {`{"tls":{"certificate":{"subject":"CN=a"},"ca":[]}}`, `{"tls":{"certificate":"PEM","key":"PEM"}}`, `{}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			patch, err := json.Marshal(difference(parsed(t, test.have), parsed(t, test.want)))
			require.NoError(t, err)
			require.JSONEq(t, test.patch, string(patch))
		})
	}
}

// What the readers make compares as what comes out of JSON.
func TestDifferenceOfWhatIsRead(t *testing.T) {
	t.Parallel()
	for _, e := range []Endpoint{
		read(t, Convoy, "convoy.json", Choices{})[0],
		read(t, CSV, "table.csv", Choices{})[0],
	} {
		text, err := json.Marshal(e.Webhook)
		require.NoError(t, err)
		require.Empty(t, difference(parsed(t, string(text)), e.Webhook))
	}
}

func parsed(t *testing.T, text string) object {
	t.Helper()
	var read object
	require.NoError(t, decode([]byte(text), &read))
	return read
}

func TestWithoutSecrets(t *testing.T) {
	t.Parallel()
	webhook := object{
		"url": "https://a.example/path", "secret": "the-old-secret", "headers": map[string]any{"X-Key": "the-key-of-acme", "X-Short": "acme"},
		"signatures": []any{object{"header": "X-Signature", "secret": "another-old-secret"}},
	}
	require.Equal(t, "not •••, ••• or •••, but acme, X-Signature and https://a.example/path",
		withoutSecrets("not the-old-secret, the-key-of-acme or another-old-secret, but acme, X-Signature and https://a.example/path", webhook))
}
