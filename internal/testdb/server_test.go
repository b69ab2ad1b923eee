package testdb

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWithDatabase(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, server, want string
	}{
		{"replaces the path", "postgres://u:p%40ss@db:5433/theirs?sslmode=disable", "postgres://u:p%40ss@db:5433/mine?sslmode=disable"},
		{"adds a path", "postgresql://db", "postgresql://db/mine"},
		{"keeps a socket", "postgres://postgres@/postgres?host=%2Ftmp%2Fs", "postgres://postgres@/mine?host=%2Ftmp%2Fs"},
		{"drops the parameter that would win", "postgres://db/a?dbname=theirs&database=theirs", "postgres://db/mine"},
		{"refuses another scheme", "mysql://u:secret@db/theirs", ""},
		{"refuses keywords and values", "host=db password=secret", ""},
		{"refuses what is not a URL", "postgres://u:secret@%zz", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := withDatabase(test.server, "mine")
			require.Equal(t, test.want, got)
			if test.want == "" {
				require.ErrorContains(t, err, URLVariable)
				require.NotContains(t, err.Error(), "secret")
			} else {
				require.NoError(t, err)
			}
		})
	}
}
