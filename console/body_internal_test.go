package console

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

// The kinds of fields of changes and of things that have things.
func TestBodiesOfForms(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		form url.Values
		want string
	}{
		"an emptied number":   {url.Values{"rate_limit:number:null": {""}}, `{"rate_limit":null}`},
		"a number":            {url.Values{"rate_limit:number:null": {"2.5"}}, `{"rate_limit":2.5}`},
		"an emptied list":     {url.Values{"scopes:list": {""}}, `{"scopes":[]}`},
		"a list":              {url.Values{"scopes:list": {"a\n\nb"}}, `{"scopes":["a","b"]}`},
		"objects in a list":   {url.Values{"s.1.a": {"y"}, "s.0.a": {"x"}, "s.10.a": {"z"}, "s:list": {""}}, `{"s":[{"a":"x"},{"a":"y"},{"a":"z"}]}`},
		"empty objects":       {url.Values{"s.0.a": {""}, "s.1.a": {""}, "s:list": {""}}, `{"s":[]}`},
		"a merge patch":       {url.Values{"h:merge": {"A\nB\nC", "A: •••\nC: 2\nD: 3"}}, `{"h":{"B":null,"C":"2","D":"3"}}`},
		"names with digits":   {url.Values{"m:merge": {"", "1: a\n2: b"}}, `{"m":{"1":"a","2":"b"}}`},
		"one of several":      {url.Values{"auth.basic.username": {"u"}, "auth.bearer.token": {"t"}, "auth:choice": {"bearer"}}, `{"auth":{"bearer":{"token":"t"}}}`},
		"one without fields":  {url.Values{"auth.basic.username": {""}, "auth:choice": {"basic"}}, `{"auth":{"basic":{}}}`},
		"none":                {url.Values{"auth.basic.username": {"u"}, "auth:choice": {"null"}}, `{"auth":null}`},
		"an empty list":       {url.Values{"r:lines": {"1m"}, "r:choice": {"[]"}}, `{"r":[]}`},
		"as it is":            {url.Values{"r:lines": {"1m"}, "r:choice": {""}}, `{"r":["1m"]}`},
		"no choice, no field": {url.Values{"r:lines": {""}, "r:choice": {""}}, `{}`},
		"a member's choice":   {url.Values{"tls.ca": {"c"}, "tls.key:choice": {"null"}}, `{"tls":{"ca":"c","key":null}}`},
	} {
		body, wrong := bodyOf(test.form)
		require.Nil(t, wrong, name)
		require.JSONEq(t, test.want, string(body), name)
	}
	_, wrong := bodyOf(url.Values{"h:merge": {"", "no colon"}, "r:number:null": {"many"}})
	require.Len(t, wrong.Errors, 2)
}
