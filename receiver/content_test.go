package receiver_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/receiver"
)

const form = "application/x-www-form-urlencoded"

func TestBodyJSON(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ contentType, body, want string }{ // want is empty: neither JSON nor a form
		"object":                           {"application/json", `{"b": 1.0, "a":2}`, `{"b": 1.0, "a":2}`},
		"array":                            {"application/json", `[1]`, `[1]`},
		"string":                           {"application/json", `"a"`, `"a"`},
		"number beyond any type":           {"application/json", `{"n": 1e309}`, `{"n": 1e309}`},
		"JSON with no content type":        {"", `{}`, `{}`},
		"JSON that is called text":         {"text/plain", `{}`, `{}`},
		"JSON that is called a form":       {form, ` {"a":1}`, ` {"a":1}`},
		"array that is called a form":      {form, `[1]`, `[1]`},
		"number that is called a form":     {form, `5`, `{"5":""}`},
		"byte order mark":                  {"application/json", "\ufeff{\"a\":1}", `{"a":1}`},
		"byte order mark alone":            {"application/json", "\ufeff", ""},
		"two byte order marks":             {"application/json", "\ufeff\ufeff{}", ""},
		"byte order mark before a form":    {form, "\ufeffa=1", `{"a":"1"}`},
		"UTF-16":                           {"application/json", "\xff\xfe{\x00}\x00", ""},
		"form":                             {form, "a=1&b=x+y%21", `{"a":"1","b":"x y!"}`},
		"form in another case":             {"Application/X-WWW-Form-Urlencoded", "a=1", `{"a":"1"}`},
		"form with parameters":             {form + "; charset=UTF-8", "a=1", `{"a":"1"}`},
		"form with an odd parameter":       {"Application/X-WWW-Form-Urlencoded; charset=; foo", "a=1", `{"a":"1"}`},
		"form with a semicolon behind":     {form + ";", "a=1", `{"a":"1"}`},
		"form with blanks":                 {"\t" + form + " ;charset=utf-8", "a=1", `{"a":"1"}`},
		"form twice":                       {form + ", " + form, "a=1", `{"a":"1"}`},
		"another type":                     {form + "x", "a=1", ""},
		"form within a parameter":          {"text/plain; type=" + form, "a=1", ""},
		"repeated field":                   {form, "a=1&a=2&b=3", `{"a":["1","2"],"b":"3"}`},
		"value with a comma":               {form, "a=1,2", `{"a":"1,2"}`},
		"value with a semicolon":           {form, "a=1;b=2", `{"a":"1;b=2"}`},
		"field without value":              {form, "a&b=", `{"a":"","b":""}`},
		"value without field":              {form, "=1", `{"":"1"}`},
		"equals sign in a value":           {form, "a=b=c", `{"a":"b=c"}`},
		"nothing between ampersands":       {form, "&a=1&&b=2&", `{"a":"1","b":"2"}`},
		"payload alone":                    {form, "payload=%7B%22n%22%3A+1%7D", `{"n": 1}`},
		"payload in UTF-8":                 {form, "payload=%7B%22n%22%3A%22%C3%A9%22%7D", `{"n":"é"}`},
		"payload with a byte order mark":   {form, "payload=%EF%BB%BF%7B%22n%22%3A1%7D", `{"n":1}`},
		"payload beside others":            {form, "payload=%7B%7D&user=7", `{"payload":"{}","user":"7"}`},
		"payload twice":                    {form, "payload=%7B%7D&payload=%7B%7D", `{"payload":["{}","{}"]}`},
		"payload that is a number":         {form, "payload=5", `{"payload":"5"}`},
		"payload and amount":               {form, "payload=5&amount=10&user=7", `{"amount":"10","payload":"5","user":"7"}`},
		"payload that is an array":         {form, "payload=[1]", `{"payload":"[1]"}`},
		"payload that is null":             {form, "payload=null", `{"payload":"null"}`},
		"payload that is cut off":          {form, "payload=%7B%22n%22", `{"payload":"{\"n\""}`},
		"broken escape":                    {form, "a=%zz", ""},
		"escape that is cut off":           {form, "a=100%", ""},
		"form not in UTF-8":                {form, "a=\xe9", ""},
		"escapes not in UTF-8":             {form, "a=%e9", ""},
		"field name not in UTF-8":          {form, "%e9=a", ""},
		"empty":                            {"application/json", "", ""},
		"empty form":                       {form, "", ""},
		"text":                             {"text/plain", "hello", ""},
		"text with no content type":        {"", "a=1", ""},
		"JSON not in UTF-8":                {"application/json", "{\"a\":\"\xe9\"}", ""},
		"JSON twice":                       {"application/json", `{}{}`, ""},
		"as many fields as may be":         {form, strings.Repeat("a&", 9_999) + "a", `{"a":[` + strings.Repeat(`"",`, 9_999) + `""]}`},
		"more fields than may be":          {form, strings.Repeat("a&", 10_000) + "a", ""},
		"multipart form":                   {"multipart/form-data; boundary=x", "--x\r\n\r\n{}\r\n--x--", ""},
		"structured syntax suffix":         {"application/cloudevents+json; charset=utf-8", `{}`, `{}`},
		"names that only look like others": {form, "Payload=%7B%7D", `{"Payload":"{}"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, ok := receiver.BodyJSON(c.contentType, []byte(c.body))
			require.Equal(t, c.want != "", ok)
			if ok {
				require.Equal(t, c.want, string(got))
			}
		})
	}
}

func TestMediaType(t *testing.T) {
	t.Parallel()
	for contentType, want := range map[string]string{
		"": "", "text/plain": "text/plain", "Text/PLAIN": "text/plain", " a/b ;x": "a/b", "a/b;charset=\"": "a/b",
		"a/b,c/d": "a/b", ";": "", "a/b; x=1; x=2": "a/b",
	} {
		require.Equal(t, want, receiver.MediaType(contentType), contentType)
	}
}

func FuzzBodyJSON(f *testing.F) {
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		before := string(body)
		data, ok := receiver.BodyJSON(contentType, body)
		require.Equal(t, before, string(body))
		if ok {
			require.True(t, json.Valid(data))
			require.True(t, utf8.Valid(data))
		}
		if json.Valid(body) && utf8.Valid(body) && receiver.MediaType(contentType) != form {
			require.True(t, ok)
			require.Equal(t, before, string(data), "JSON stays as it is")
		}
	})
}
