package models_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/models"
)

func TestMetadataIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	for _, metadata := range []models.Metadata{nil, {"a": "1", "b": `"ü`}} {
		stored, err := metadata.Value()
		require.NoError(t, err)
		for _, form := range []any{stored, []byte(stored.(string))} {
			read := models.Metadata{"left": "over"}
			require.NoError(t, read.Scan(form))
			require.Equal(t, metadata, read)
		}
	}
	var none models.Metadata
	require.NoError(t, none.Scan(nil))
	require.Nil(t, none)
	require.Error(t, none.Scan(1))
}
