package console

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/console/view"
)

// What a test came to is said, with a link to the whole of it.
func TestOutcomesOfTests(t *testing.T) {
	t.Parallel()
	for body, shown := range map[string][]string{
		`{"success":true,"status_code":204,"duration_ms":34,"error":null,"delivery_id":"dlv_1"}`:                  {"is-delivered", "204", "34 ms", "/portal/deliveries/dlv_1"},
		`{"success":false,"status_code":null,"duration_ms":10000,"error":"<b>refused</b>","delivery_id":"dlv_2"}`: {"is-failed", "10.0 s", "&lt;b&gt;refused", "/portal/deliveries/dlv_2"},
	} {
		var text strings.Builder
		part := shownOf(url.Values{"_show": {"The test"}, "_as": {"test"}}, []byte(body))
		require.NoError(t, view.Within(view.Frame{Base: "/portal"}, part).Render(t.Context(), &text))
		for _, one := range shown {
			require.Contains(t, text.String(), one)
		}
	}
}
