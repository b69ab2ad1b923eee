package service

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/models"
)

func TestMetadataIsShortTexts(t *testing.T) {
	t.Parallel()
	many, large := models.Metadata{}, models.Metadata{}
	for i := range maxMetadata + 1 {
		many["name"+strconv.Itoa(i)] = ""
	}
	for i := range maxMetadata {
		large["name"+strconv.Itoa(i)] = strings.Repeat("x", maxMetadataValue)
	}
	for _, c := range []struct {
		metadata models.Metadata
		wrong    []string
	}{
		{nil, nil},
		{models.Metadata{"tenant_id": "42", "Plan": "größe 3", "a.b-c": "", "x": strings.Repeat("ü", maxMetadataValue)}, nil},
		{many, []string{"metadata"}},
		{large, []string{"metadata"}},
		{models.Metadata{"": "x"}, []string{"metadata"}},
		{models.Metadata{"a b": "x"}, []string{"metadata"}},
		{models.Metadata{strings.Repeat("n", maxMetadataName+1): "x"}, []string{"metadata"}},
		{models.Metadata{"tenant-id": "1", "Tenant_ID": "2"}, []string{"metadata.tenant-id"}},
		{models.Metadata{"long": strings.Repeat("x", maxMetadataValue+1)}, []string{"metadata.long"}},
		{models.Metadata{"nul": "a\x00b", "line": "a\nb", "ends": "a ", "unseen": "a\u200bb", "latin": "\xff"},
			[]string{"metadata.ends", "metadata.latin", "metadata.line", "metadata.nul", "metadata.unseen"}},
	} {
		var wrong faults
		wrong.metadata(c.metadata)
		var locations []string
		for _, field := range wrong.fields {
			locations = append(locations, field.Location)
		}
		require.Equal(t, c.wrong, locations, c.metadata)
	}
}

func TestMetadataIsMerged(t *testing.T) {
	t.Parallel()
	two, before := "2", models.Metadata{"a": "1", "b": "1"}
	require.Equal(t, before, mergedMetadata(before, Patch[map[string]*string]{}))
	require.Empty(t, mergedMetadata(before, Patch[map[string]*string]{Set: true, Null: true}))
	require.Equal(t, models.Metadata{"b": "2", "c": "2"},
		mergedMetadata(before, Patch[map[string]*string]{Set: true, Value: map[string]*string{"a": nil, "b": &two, "c": &two}}))
	require.Equal(t, models.Metadata{"a": "1", "b": "1"}, before)
}
