package moving

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever the file is, reading it ends, every endpoint has a line of the file, and what is not refused can be sent.
func FuzzRead(f *testing.F) {
	for _, seed := range []struct{ system, name string }{
		{Svix, "svix.jsonl"}, {Convoy, "convoy.json"}, {Outpost, "outpost.jsonl"}, {Hook0, "hook0.json"}, {CSV, "table.csv"}, {JSON, "postrider.json"},
	} {
		content, err := os.ReadFile(filepath.Join("testdata", seed.name))
		require.NoError(f, err)
		f.Add(seed.system, content)
	}
	for _, content := range []string{"", "[", "[]", "{}", "null", "5 \"x\" [[{}]]", "{\"endpoints\":{},\"subscriptions\":[[],{}],\"project\":[]}",
		"{\"tenant\":[],\"destinations\":{\"models\":null}}", "owner,external_id,url,secret\n\"", "\uFEFF"} {
		for _, system := range []string{Svix, Convoy, Outpost, Hook0, CSV, JSON} {
			f.Add(system, []byte(content))
		}
	}
	f.Fuzz(func(t *testing.T, system string, content []byte) {
		endpoints, err := Read(system, content, Choices{})
		if err != nil {
			require.NotContains(t, err.Error(), "Go ")
			return
		}
		lines := bytes.Count(content, []byte("\n")) + 1
		for _, e := range endpoints {
			require.LessOrEqual(t, e.Line, lines)
			require.Positive(t, e.Line)
			require.NotContains(t, e.Fault, "Go ")
			if e.Fault == "" {
				_, err := json.Marshal(e.Webhook)
				require.NoError(t, err)
				require.NotEmpty(t, e.Webhook["secret"])
				require.Empty(t, difference(parsedJSON(t, e.Webhook), e.Webhook))
			}
			_ = Result{Endpoint: e, What: Created}.String()
		}
	})
}

func parsedJSON(t *testing.T, of object) object {
	t.Helper()
	text, err := json.Marshal(of)
	require.NoError(t, err)
	return parsed(t, string(text))
}
