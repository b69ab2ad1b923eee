package app

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBadImports(t *testing.T) {
	t.Parallel()
	table := filepath.Join(t.TempDir(), "table.csv")
	require.NoError(t, os.WriteFile(table, []byte("owner;url\n"), 0o600))
	for name, test := range map[string]struct {
		args []string
		says string
	}{
		"no system":       {[]string{table, "--key", "k"}, "missing flags: --from"},
		"another system":  {[]string{table, "--key", "k", "--from", "hookdeck"}, `--from must be one of "svix","convoy","outpost","hook0","csv","json"`},
		"empty key":       {[]string{table, "--key", "", "--from", "csv"}, "--key ($POSTRIDER_KEY) is empty"},
		"URL":             {[]string{table, "--key", "k", "--from", "csv", "--url", "postrider"}, "--url ($POSTRIDER_URL) must be a URL"},
		"empty owner":     {[]string{table, "--key", "k", "--from", "csv", "--owner", ""}, "--owner is empty"},
		"label":           {[]string{table, "--key", "k", "--from", "csv", "--hook0-label", "tenant_id"}, "--hook0-label is for --from hook0"},
		"signature":       {[]string{table, "--key", "k", "--from", "csv", "--signature", "X-Signature"}, "--signature must be a JSON object such as"},
		"its secret":      {[]string{table, "--key", "k", "--from", "csv", "--signature", `{"secret":"s"}`}, "--signature takes no secret"},
		"no file":         {[]string{table + "x", "--key", "k", "--from", "csv"}, "no such file"},
		"not of the form": {[]string{table, "--key", "k", "--from", "csv"}, table + ": line 1: cells are separated by something else than commas"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr := postriderLine(t, append([]string{"import"}, test.args...)...)
			require.Equal(t, 1, code)
			require.Contains(t, stderr, test.says)
			require.Empty(t, stdout)
		})
	}
}

// What cannot be carried over is refused with its line, and what the API does not take ends the run.
func TestImportSaysWhatBecameOfEachEndpoint(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer ended" {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"detail":"the key has ended\u001b[2J"}`)
			return
		}
		_, _ = io.WriteString(w, `{"data":[],"next_cursor":null}`)
	}))
	t.Cleanup(server.Close)
	table := filepath.Join(t.TempDir(), "table.csv")
	require.NoError(t, os.WriteFile(table, []byte("owner,external_id,url,secret\nacme,1,https://a.example,the-old-secret-1\nacme\x1b,2,https://a.example,\n"), 0o600))

	code, stdout, stderr := postriderLine(t, "import", table, "--from", "csv", "--url", server.URL, "--key", "k", "--dry-run")
	require.Equal(t, 1, code)
	require.Equal(t, "line 2: created acme/1\n"+
		`line 3: refused acme\x1b/2: secret: missing; without it the receiver would refuse what Postrider signs. Export it too`+"\n"+
		"Nothing was done; it would be: 1 created, 0 changed, 0 unchanged, 1 refused.\n", stdout)
	require.Contains(t, stderr, "some endpoints were refused: change what their lines say, and run it again")

	code, stdout, stderr = postriderLine(t, "import", table, "--from", "csv", "--url", server.URL, "--key", "ended")
	require.Equal(t, 1, code)
	require.Empty(t, stdout)
	require.Contains(t, stderr, `stopped after 0 of 2 endpoints; run it again to go on: the key has ended\x1b[2J`)
}
