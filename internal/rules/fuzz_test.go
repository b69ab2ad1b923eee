package rules_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/rules"
	"github.com/postrider/postrider/models"
)

// Whatever is written as an expression, and whatever an event's data are, an evaluation ends with JSON or with a fault, and
// says the same again.
func FuzzRules(f *testing.F) {
	for _, source := range []string{
		`data.amount > 100 && data.currency == "EUR"`, `data.items.exists(i, i.sku == "b")`, `{"total": data.amount * 2, "all": data}`,
		`data.items.transformList(i, v, {"i": i, ?"x": data.?none})`, `data.text.matches("^(a|b)*$")`, `event.time.getHours("Europe/Berlin")`,
		`[data, data, 1.5, -2, 3u, b"x", null, "\n"]`, `cel.bind(x, data, x == x)`, `timestamp(data.text) < event.time`, `data[0]`, `(`, ``,
		`data.items.all(a, data.items.all(b, data.items.all(c, a == b)))`, `metadata.plan + webhook.host`, `size(data) / 0 + 1.0`, `has(data.a.b)`,
	} {
		for _, data := range []string{order, `[]`, `"a"`, `-0.0e-5`, `{"a":{"b":[1,2,[3]]},"a":1}`, `[[[[[[]]]]]]`, ` { "\u0000" : "\ud800" } `, `{`, "\"\xff\"", ``} {
			f.Add(source, []byte(data))
		}
	}
	engine := rules.New()
	f.Fuzz(func(t *testing.T, source string, data []byte) {
		of := models.Event{ID: "evt_1", Type: "a", Data: data, CreatedAt: time.Unix(0, 0)}
		to := webhook(source, source)
		verdicts, err := engine.Filter(t.Context(), of, []models.Webhook{to, to})
		require.NoError(t, err)
		require.Equal(t, verdicts[0], verdicts[1])
		made, err := engine.Transform(t.Context(), of, to)
		if err != nil {
			var fault *rules.Fault
			require.ErrorAs(t, err, &fault)
			require.NotEmpty(t, fault.What)
			return
		}
		require.True(t, json.Valid(made), "%q", made)
		again, err := rules.New().Transform(t.Context(), of, to)
		require.NoError(t, err)
		require.Equal(t, string(made), string(again))
	})
}
