package storetest

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
)

// Dump returns the values of every column of every table, by table and column: what someone learns who gets hold of the
// database.
func Dump(t testing.TB, db *gorm.DB) map[string][]byte {
	t.Helper()
	contents := map[string][]byte{}
	tables, err := db.Migrator().GetTables()
	require.NoError(t, err)
	for _, table := range tables {
		var rows []map[string]any
		require.NoError(t, db.Table(table).Find(&rows).Error)
		for _, row := range rows {
			for column, value := range row {
				place := table + "." + column
				if raw, ok := value.([]byte); ok {
					contents[place] = append(contents[place], raw...)
				} else {
					contents[place] = fmt.Append(contents[place], value)
				}
				contents[place] = append(contents[place], '\n')
			}
		}
	}
	return contents
}
