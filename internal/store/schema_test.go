package store_test

import (
	"database/sql/driver"
	"reflect"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/schema"

	"github.com/postrider/postrider/internal/store"
)

// column is what a table says, or an entity asks for.
type column struct {
	Type     string
	Nullable bool
	Key      bool
}

// nullableWithoutPointer are the columns whose entities can hold "none" in another way: as a nil slice.
var nullableWithoutPointer = map[string]bool{
	"webhooks.retry_schedule": true, "webhooks.previous_secret": true, "webhooks.earlier_secrets": true,
	"statistics.latency": true, "statistics.duration": true,
	"attempts.request_headers": true, "attempts.response_headers": true,
	"webhooks.sealed_headers": true, "webhooks.credentials": true, "attempts.response_body": true,
	"sessions.key_hash": true, "sessions.link_hash": true, "sessions.token_hash": true,
	"event_types.schema": true, "event_types.example": true,
}

// The migrations are written by hand and so are the entities: here they are held against each other.
func TestSchemaIsWhatTheEntitiesSay(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		got := tablesOf(t, db)
		delete(got, "goose_db_version")
		require.Equal(t, entityTables(t, db), got)
	})
}

// entityTables returns the columns that the entities have, by table and name.
func entityTables(t *testing.T, db *gorm.DB) map[string]map[string]column {
	t.Helper()
	tables := map[string]map[string]column{}
	for _, entity := range store.Entities() {
		parsed, err := schema.Parse(entity, &sync.Map{}, db.NamingStrategy)
		require.NoError(t, err)
		columns := map[string]column{}
		for _, field := range parsed.Fields {
			if field.DBName == "" {
				continue // it is not stored
			}
			columns[field.DBName] = column{
				Type:     kindOf(field),
				Nullable: field.FieldType.Kind() == reflect.Pointer || nullableWithoutPointer[parsed.Table+"."+field.DBName],
				Key:      field.PrimaryKey,
			}
		}
		tables[parsed.Table] = columns
	}
	return tables
}

func kindOf(field *schema.Field) string {
	_, valuer := reflect.New(field.IndirectFieldType).Interface().(driver.Valuer)
	switch {
	case field.Serializer != nil || (valuer && field.DataType != schema.Time):
		return "text"
	case field.DataType == schema.String:
		return "text"
	case field.DataType == schema.Int && field.Size == 64 && field.IndirectFieldType.Kind() == reflect.Int64:
		return "bigint"
	case field.DataType == schema.Int:
		return "integer"
	}
	return string(field.DataType)
}

// tablesOf returns the columns that a database has, by table and name.
func tablesOf(t *testing.T, db *gorm.DB) map[string]map[string]column {
	t.Helper()
	query := `
		SELECT c.table_name AS "table", c.column_name AS name, c.data_type AS type, c.is_nullable = 'YES' AS nullable,
		       k.column_name IS NOT NULL AS key
		FROM information_schema.columns c
		LEFT JOIN (information_schema.table_constraints p
		           JOIN information_schema.key_column_usage k
		           ON k.constraint_name = p.constraint_name AND p.constraint_type = 'PRIMARY KEY')
		       ON k.table_name = c.table_name AND k.column_name = c.column_name
		WHERE c.table_schema = current_schema()`
	if db.Name() == "sqlite" {
		// A primary key may be NULL there unless it is said otherwise; no entity has a nil one.
		query = `
		SELECT m.name AS "table", p.name, lower(p.type) AS type, p."notnull" = 0 AND p.pk = 0 AS nullable, p.pk > 0 AS key
		FROM sqlite_master m JOIN pragma_table_info(m.name) p
		WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'`
	}
	var rows []struct {
		Table, Name   string
		Type          string
		Nullable, Key bool
	}
	require.NoError(t, db.Raw(query).Scan(&rows).Error)
	types := map[string]string{
		"timestamp with time zone": "time", "datetime": "time", "bytea": "bytes", "blob": "bytes", "boolean": "bool",
		"double precision": "float", "real": "float",
	}
	tables := map[string]map[string]column{}
	for _, row := range rows {
		if tables[row.Table] == nil {
			tables[row.Table] = map[string]column{}
		}
		if name, ok := types[row.Type]; ok {
			row.Type = name
		}
		tables[row.Table][row.Name] = column{Type: row.Type, Nullable: row.Nullable, Key: row.Key}
	}
	return tables
}
