package view

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/models"
)

// Every way in which an attempt can fail is explained, with what to do; so is every answer that is not a success.
func TestEveryFailureIsExplained(t *testing.T) {
	t.Parallel()
	explained := func(a models.Attempt) Explanation {
		return explain(t.Context(), models.Delivery{Status: models.StatusFailed, Host: "example.com"}, []service.Attempt{{Attempt: a}})
	}
	seen := map[string]models.ErrorClass{}
	for _, class := range models.ErrorClasses() {
		if class == models.ErrorHTTPStatus {
			continue
		}
		said := explained(models.Attempt{ErrorClass: class, Error: "raw"})
		require.NotContains(t, said.What, "raw", class)
		require.NotEmpty(t, said.What, class)
		require.NotEmpty(t, said.Do, class)
		require.Empty(t, seen[said.What], "%s is explained as %s is", class, seen[said.What])
		seen[said.What] = class
	}
	for code := 100; code < 600; code++ {
		if code >= 200 && code < 300 {
			continue
		}
		said := explained(models.Attempt{ErrorClass: models.ErrorHTTPStatus, StatusCode: &code})
		require.NotEmpty(t, said.What, code)
		require.NotEmpty(t, said.Do, code)
	}
	given := explain(t.Context(), models.Delivery{Status: models.StatusPermanentlyFailed}, []service.Attempt{{Attempt: models.Attempt{ErrorClass: models.ErrorTLS}}})
	require.Contains(t, given.Do, "resend it")
}
