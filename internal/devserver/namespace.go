package devserver

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"

	enumspb "go.temporal.io/api/enums/v1"
	persistencespb "go.temporal.io/server/api/persistence/v1"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/metrics"
	"go.temporal.io/server/common/persistence"
	"go.temporal.io/server/common/persistence/serialization"
	persistencesql "go.temporal.io/server/common/persistence/sql"
	"go.temporal.io/server/common/persistence/sql/sqlplugin"
	"go.temporal.io/server/common/resolver"
	"go.temporal.io/server/common/searchattribute/sadefs"
	sqliteschema "go.temporal.io/server/schema/sqlite"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
)

// prepareNamespace brings the namespace in the database to what cfg asks for,
// before the server runs: a change made through the running server's API would
// reach its caches only seconds later.
func prepareNamespace(ctx context.Context, store *store, cfg Config) error {
	db, err := persistencesql.NewSQLDB(sqlplugin.DbKindMain, &store.main,
		resolver.NewNoopResolver(), log.NewNoopLogger(), metrics.NoopMetricsHandler)
	if err != nil {
		return fmt.Errorf("open temporal database: %w", err)
	}
	defer func() { _ = db.Close() }()

	rows, err := db.SelectFromNamespace(ctx, sqlplugin.NamespaceFilter{Name: &cfg.Namespace})
	switch {
	case errors.Is(err, sql.ErrNoRows):
		err = createNamespace(store, cfg)
	case err == nil:
		err = updateNamespace(ctx, db, &rows[0], cfg)
	}
	if err != nil {
		return fmt.Errorf("prepare namespace %s: %w", cfg.Namespace, err)
	}
	return nil
}

func createNamespace(store *store, cfg Config) error {
	namespace, err := sqliteschema.NewNamespaceConfig(clusterName, cfg.Namespace, false, nil)
	if err != nil {
		return err
	}
	if err := configureNamespace(namespace.Detail, cfg); err != nil {
		return err
	}
	return sqliteschema.CreateNamespaces(&store.main, namespace)
}

func updateNamespace(ctx context.Context, db sqlplugin.DB, row *sqlplugin.NamespaceRow, cfg Config) error {
	serializer := serialization.NewSerializer()
	detail, err := serializer.NamespaceDetailFromBlob(persistence.NewDataBlob(row.Data, row.DataEncoding))
	if err != nil {
		return err
	}
	before := proto.Clone(detail)
	if err := configureNamespace(detail, cfg); err != nil {
		return err
	}
	if proto.Equal(before, detail) {
		return nil
	}
	blob, err := serializer.NamespaceDetailToBlob(detail)
	if err != nil {
		return err
	}
	row.Data, row.DataEncoding = blob.GetData(), blob.GetEncodingType().String()
	_, err = db.UpdateNamespace(ctx, row)
	return err
}

// configureNamespace sets the retention and adds the search attributes that
// are missing. A SQL database has a fixed number of columns for custom search
// attributes of each type; a namespace keeps which name stands for which column.
func configureNamespace(detail *persistencespb.NamespaceDetail, cfg Config) error {
	detail.Config.Retention = durationpb.New(cfg.Retention)

	columns := sadefs.GetDBIndexSearchAttributes(nil).GetCustomSearchAttributes()
	names := detail.Config.GetCustomSearchAttributeAliases() // column to name
	if names == nil {
		names = make(map[string]string)
	}
	columnOf := make(map[string]string, len(names))
	for column, name := range names {
		columnOf[name] = column
	}
	for _, name := range slices.Sorted(maps.Keys(cfg.SearchAttributes)) {
		wanted := cfg.SearchAttributes[name]
		if column, ok := columnOf[name]; ok {
			if columns[column] != wanted {
				return fmt.Errorf("search attribute %s is a %s already, not a %s", name, columns[column], wanted)
			}
			continue
		}
		column, err := freeColumn(columns, names, wanted)
		if err != nil {
			return fmt.Errorf("search attribute %s: %w", name, err)
		}
		names[column] = name
	}
	detail.Config.CustomSearchAttributeAliases = names
	return nil
}

// freeColumn is the first column of a type that has no name yet.
func freeColumn(columns map[string]enumspb.IndexedValueType, names map[string]string, wanted enumspb.IndexedValueType) (string, error) {
	for _, column := range slices.Sorted(maps.Keys(columns)) {
		if columns[column] == wanted && names[column] == "" {
			return column, nil
		}
	}
	return "", fmt.Errorf("no room for another %s", wanted)
}
