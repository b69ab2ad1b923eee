package rules_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/rules"
	"github.com/postrider/postrider/models"
)

func event(data string) models.Event {
	return models.Event{
		ID: "evt_1", OwnerID: "own_1", Type: "order.created", Data: []byte(data), CreatedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Metadata: models.Metadata{"region": "eu"},
	}
}

func webhook(filter, transform string) models.Webhook {
	return models.Webhook{
		ID: "wh_1", OwnerID: "own_1", Host: "example.com", Metadata: models.Metadata{"plan": "pro", "a.b": "c"}, Filter: filter, Transform: transform,
	}
}

func filter(t *testing.T, data, source string) rules.Verdict {
	t.Helper()
	verdicts, err := rules.New().Filter(t.Context(), event(data), []models.Webhook{webhook(source, "")})
	require.NoError(t, err)
	require.Len(t, verdicts, 1)
	return verdicts[0]
}

const order = `{"amount": 120, "price": 1.50, "currency":"EUR", "paid":true, "note":null, "big":12345678901234567890,
	"items":[{"sku":"a","n":2},{"sku":"b","n":1}], "customer":{"id":9007199254740993,"b":1.0,"a":1e3}, "text":"a\u00e9\n"}`

func TestFilter(t *testing.T) {
	t.Parallel()
	for source, passes := range map[string]bool{
		`data.amount > 100 && data.currency == "EUR"`:                           true,
		`data.amount > 100.5`:                                                   true,
		`data.amount == 120.0`:                                                  true,
		`data.amount * 1.5 == 180.0`:                                            true,
		`1.5 + data.amount > data.price - 1`:                                    true,
		`data.amount / 7 == 17`:                                                 true,
		`data.price / 2 == 0.75`:                                                true,
		`data.customer.id == 9007199254740993`:                                  true,
		`data.big > 1e19`:                                                       true,
		`data.currency in ["USD", "GBP"]`:                                       false,
		`data.items.exists(i, i.sku == "b" && i.n == 1)`:                        true,
		`data.items.all(i, i.n > 1)`:                                            false,
		`size(data.items) == 2 && data.items[0].sku == "a"`:                     true,
		`has(data.missing)`:                                                     false,
		`data.?missing.orValue(3) == 3`:                                         true,
		`data.note == null && data.paid`:                                        true,
		`data.paid`:                                                             true,
		`data.text == "aé\n"`:                                                   true,
		`data.currency.matches("^E") && !matches(data.text, "^b$")`:             true,
		`event.type.startsWith("order.") && event.id == "evt_1"`:                true,
		`event.time < timestamp("2026-01-02T03:04:06Z")`:                        true,
		`event.time.getHours("Europe/Berlin") == 4`:                             true,
		`webhook.host == "example.com" && webhook.id == "wh_1"`:                 true,
		`webhook.owner_id == event.owner_id`:                                    true,
		`webhook.metadata.plan == "pro" && webhook.metadata["a.b"] == "c"`:      true,
		`has(webhook.metadata.region) || "region" in webhook.metadata`:          false,
		`webhook.metadata.?region.orValue("eu") == metadata.region`:             true,
		`webhook.external_id == ""`:                                             true,
		`metadata.region == "eu" && !("plan" in metadata)`:                      true,
		`data == data && data.items == [{"sku":"a","n":2.0},{"sku":"b","n":1}]`: true,
		"": true,
	} {
		require.Equal(t, rules.Verdict{Passes: passes}, filter(t, order, source), source)
	}
}

// An expression is compiled once for all webhooks that have it, and sees what each of them is at the time.
func TestFilterSeesItsOwnWebhook(t *testing.T) {
	t.Parallel()
	engine := rules.New()
	name := "primary"
	with := func(metadata models.Metadata, externalID *string) models.Webhook {
		of := webhook(`webhook.metadata.?region.orValue("none") == metadata.region || webhook.external_id == "primary"`, "")
		of.Metadata, of.ExternalID = metadata, externalID
		return of
	}
	for range 2 { // compiled, and as it was kept
		verdicts, err := engine.Filter(t.Context(), event(`1`), []models.Webhook{
			with(models.Metadata{"region": "eu"}, nil), with(models.Metadata{"region": "us"}, nil), with(nil, nil), with(nil, &name),
		})
		require.NoError(t, err)
		require.Equal(t, []rules.Verdict{{Passes: true}, {}, {}, {Passes: true}}, verdicts)
	}
}

// The time of an event is when it happened, where the publisher says so.
func TestFilterSeesWhenItHappened(t *testing.T) {
	t.Parallel()
	of := event(`1`)
	happened := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	of.OccurredAt = &happened
	verdicts, err := rules.New().Filter(t.Context(), of, []models.Webhook{webhook(`event.time == timestamp("2020-01-01T00:00:00Z")`, "")})
	require.NoError(t, err)
	require.Equal(t, []rules.Verdict{{Passes: true}}, verdicts)
}

// A filter that fails lets the event pass and says why and where, but nothing of the data.
func TestFilterFails(t *testing.T) {
	t.Parallel()
	const data = `{"secret":"s3cr3t","n":1,"list":[1],"max":9223372036854775807,"pattern":"s3cr3t("}`
	for source, says := range map[string]string{
		`data.amount > 100`:                      "filter: line 1, column 5: there is no such member",
		"true &&\n  data[data.secret] == 1":      "filter: line 2, column 7: there is no such member",
		`data.n > "a"`:                           "filter: line 1, column 8: these values do not go together",
		`data.secret + 1 == 2`:                   "these values do not go together",
		`data.n / 0 == 1`:                        "division by zero",
		`data.n % 0 == 1`:                        "division by zero",
		`data.max + 1 > 0`:                       "the number gets too large",
		`data.list[5] == 1`:                      "the list has no such position",
		`int(data.secret) == 1`:                  "line 1, column 4: the",
		`timestamp(data.secret) < event.time`:    "line 1, column 10: ",
		`data.?other.value() == 1`:               "orValue",
		`data`:                                   "filter: line 1, column 1: it gave an object, not true or false",
		`data.secret`:                            "it gave a text, not true or false",
		`data.list`:                              "it gave a list",
		`data.secret.matches(data.pattern)`:      "not a regular expression: missing closing )",
		`metadata.plan == "pro"`:                 "there is no such member",
		`data.secret.foo == 1`:                   "there is no such member",
		`size(data.n) == 1`:                      "these values do not go together",
		`duration(data.secret) > duration("1s")`: "line 1",
	} {
		verdict := filter(t, data, source)
		require.True(t, verdict.Passes, source)
		require.Contains(t, verdict.Fault, says, source)
		require.NotContains(t, verdict.Fault, "s3cr3t", source)
	}
}

func TestFilterOfDataThatCannotBeRead(t *testing.T) {
	t.Parallel()
	require.Contains(t, filter(t, `{`, `true`).Fault, "not JSON")
	require.Contains(t, filter(t, strings.Repeat("[", 1002)+strings.Repeat("]", 1002), `true`).Fault, "nested deeper than 1000")
	require.Contains(t, filter(t, strings.Repeat("[", 20000)+strings.Repeat("]", 20000), `true`).Fault, "nested too deeply")
	require.Equal(t, rules.Verdict{Passes: true}, filter(t, `{"a":1,"a":2}`, `data.a == 2`), "the last counts")
	require.Equal(t, rules.Verdict{Passes: true}, filter(t, ` [ ] `, `data == []`))
	require.Equal(t, rules.Verdict{Passes: true}, filter(t, `-0.5e1`, `data == -5`))
}

// Work is bounded, whatever expression and data are.
func TestWorkIsBounded(t *testing.T) {
	t.Parallel()
	numbers, err := json.Marshal(make([]int, 20_000))
	require.NoError(t, err)
	long := fmt.Sprintf(`{"n":%s,"t":%q}`, numbers, strings.Repeat("a", 600_000))
	for source, says := range map[string]string{
		`data.n.all(a, data.n.all(b, data.n.all(c, c == 0)))`:    "filter: it ",
		`data.n.map(a, data.n.map(b, b)).size() > 0`:             "filter: it ",
		`(data.t + data.t + data.t) != ""`:                       "filter: it ",
		`data.t.matches("(a*)*b")`:                               "at most 64 KiB",
		`data.n.all(a, data == data)`:                            "filter: it ",
		`data.n.all(a, data.n == data.n)`:                        "filter: it ",
		`data.n.exists(a, data.t.contains("aaaaaaaaaaaaaaaab"))`: "filter: it ",
	} {
		verdict := filter(t, long, source)
		require.True(t, verdict.Passes, source)
		require.Contains(t, verdict.Fault, says, source)
	}
}

func TestTransform(t *testing.T) {
	t.Parallel()
	engine := rules.New()
	for source, want := range map[string]string{
		`{"total": data.amount * 2, "by": event.type, "at": event.time}`: `{"at":"2026-01-02T03:04:05Z","by":"order.created","total":240}`,
		`data.customer`:                           `{"id":9007199254740993,"b":1.0,"a":1e3}`,
		`{"c": data.customer, "p": data.price}`:   `{"c":{"id":9007199254740993,"b":1.0,"a":1e3},"p":1.5}`,
		`data.items.map(i, i.sku)`:                `["a","b"]`,
		`data.items.filter(i, i.n > 1)`:           `[{"sku":"a","n":2}]`,
		`[data.note, data.paid, 1u, 2.0, b"abc"]`: `[null,true,1,2,"YWJj"]`,
		`data.items.transformList(i, v, {"i": i, ?"x": data.?none, "sku": v.sku})`: `[{"i":0,"sku":"a"},{"i":1,"sku":"b"}]`,
		`data.items.transformMapEntry(i, v, {v.sku: v.n})`:                         `{"a":2,"b":1}`,
		`"<" + data.text + ">"`:            `"<aé\n>"`,
		`cel.bind(x, data.amount, [x, x])`: `[120,120]`,
		`duration("90s")`:                  `"1m30s"`,
		`webhook.id`:                       `"wh_1"`,
		`webhook.metadata`:                 `{"a.b":"c","plan":"pro"}`,
		`metadata`:                         `{"region":"eu"}`,
		`{"text": "said <b>", "b": 1, "a": {"z": 1, "y": 2}}`: `{"a":{"y":2,"z":1},"b":1,"text":"said <b>"}`,
	} {
		for range 3 {
			made, err := engine.Transform(t.Context(), event(order), webhook("", source))
			require.NoError(t, err, source)
			require.Equal(t, want, string(made), source)
		}
	}
}

func TestTransformFails(t *testing.T) {
	t.Parallel()
	large := fmt.Sprintf(`{"t":%q,"n":[%s0]}`, strings.Repeat("a", 600_000), strings.Repeat("0,", 999))
	for source, says := range map[string]string{
		`data.missing`:        "transform: line 1, column 5: there is no such member",
		`{"a": 1.0 / 0.0}`:    "a number that JSON does not have",
		`{1: "a"}`:            "the names in an object are texts; it gave a number",
		`optional.of(1)`:      "it gave an optional value",
		`type(data)`:          "it gave a type",
		`[data, data]`:        "it gave more than 1048576 bytes",
		`data.n.map(i, data)`: "it gave more than 1048576 bytes",
		`[data.t, data.t]`:    "it gave more than 1048576 bytes",
		`data.n.map(a, data.n.map(b, data.n.map(c, c)))`: "transform: it ",
		`data.t +`: "it cannot be compiled: ",
	} {
		_, err := rules.New().Transform(t.Context(), event(large), webhook("", source))
		var fault *rules.Fault
		require.ErrorAs(t, err, &fault, source)
		require.Contains(t, err.Error(), says, source)
	}
}

// What cannot be compiled is refused when it is set, with its place.
func TestCheck(t *testing.T) {
	t.Parallel()
	engine := rules.New()
	for source, says := range map[string]string{
		``:                               "line 1, column 1: expected an expression",
		"  \n":                           "expected an expression",
		`data.amount >`:                  "line 1, column 14: ",
		"true &&\n  data.amount ==":      "line 2, column 17: ",
		`amount > 100`:                   "line 1, column 1: there is nothing named amount; an expression has data, event, metadata, webhook and CEL's standard functions",
		`event.tpye == "a"`:              "event has id, type, time and owner_id",
		`webhook.secret == "a"`:          "webhook has id, owner_id, host, external_id and metadata",
		`"a"`:                            "a filter gives true or false",
		`{"a": 1}`:                       "this gives an object",
		`now() > event.time`:             "there is nothing named now",
		`data.t.replace("a", "b") == ""`: "there is nothing named replace",
		`data.t.matches("(")`:            "line 1, column 16: not a regular expression: missing closing )",
		`data.t.matches("a{1000}")`:      "too complex",
		`data.t.matches("` + strings.Repeat("a", 257) + `")`: "at most 256",
		`1 + "a" == 2`: "line 1, column 3: ",
		strings.Repeat("(", 200) + "true" + strings.Repeat(")", 200): "recursion",
		strings.Repeat("true && ", 3000) + "true":                    "at most 8192 bytes",
		"true\x00": "NUL",
	} {
		err := engine.Check(rules.Filter, source)
		var wrong *rules.SyntaxError
		require.ErrorAs(t, err, &wrong, source)
		require.Contains(t, err.Error(), says, source)
		require.NotContains(t, err.Error(), "ERROR", source)
	}
	require.NoError(t, engine.Check(rules.Filter, `data.amount > 100`))
	require.NoError(t, engine.Check(rules.Transform, `{"a": data}`))
}
