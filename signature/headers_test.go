package signature_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/signature"
)

func TestHeaderValues(t *testing.T) {
	t.Parallel()
	header := http.Header{"X-Key": {"1", "2"}, "x-key": {"3"}, "X-Other": {"4"}, "X-None": {}, "X-\u212aey": {"a Kelvin sign"}}
	require.ElementsMatch(t, []string{"1", "2", "3"}, signature.HeaderValues(header, "X-KEY"))
	require.Equal(t, []string{"4"}, signature.HeaderValues(header, "x-other"))
	require.Empty(t, signature.HeaderValues(header, "X-None"))
	require.Empty(t, signature.HeaderValues(header, "X-Absent"))
	require.Equal(t, []string{"1", "2"}, header["X-Key"], "the header stays as it is")
}
