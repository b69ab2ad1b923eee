package models_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/models"
)

func TestExternalIDs(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"a", "42", "customer-42", "auth0|5f7c", "ann+1@example.com", "urn:org:7", "018f3c5e-7b7a-7cc0-9c3a-8f1f6b0b2f11", "a~b", "owner", "own",
		strings.Repeat("x", models.MaxExternalID),
	} {
		require.True(t, models.IsExternalID(text, "own_"), text)
	}
	for _, text := range []string{
		"", ".", "..", "-a", " a", "a b", "a,b", "a/b", "a%b", "a?b", "a#b", "ü", "a\x00", "own_", "own_1", "OWN_x",
		strings.Repeat("x", models.MaxExternalID+1),
	} {
		require.False(t, models.IsExternalID(text, "own_"), text)
	}
}
