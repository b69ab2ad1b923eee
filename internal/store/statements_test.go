package store_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
)

// statement is one that gorm sent.
type statement struct {
	sql  string
	vars []any
}

// statements notes every statement that a database is sent; it is a plugin of gorm.
type statements struct {
	mu   sync.Mutex
	list []statement
}

func (*statements) Name() string { return "test:statements" }

func (s *statements) Initialize(db *gorm.DB) error {
	note := func(tx *gorm.DB) {
		if tx.DryRun {
			return // a part of another statement
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.list = append(s.list, statement{sql: tx.Statement.SQL.String(), vars: slices.Clone(tx.Statement.Vars)})
	}
	callbacks := db.Callback()
	for _, register := range []func(string, func(*gorm.DB)) error{
		callbacks.Create().Register, callbacks.Query().Register, callbacks.Update().Register,
		callbacks.Delete().Register, callbacks.Row().Register, callbacks.Raw().Register,
	} {
		if err := register("test:statements", note); err != nil {
			return err
		}
	}
	return nil
}

// take returns what was sent since the last call.
func (s *statements) take() []statement {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.list
	s.list = nil
	return list
}

// node is a step of PostgreSQL's plan for a statement.
type node struct {
	Type     string  `json:"Node Type"`
	Relation string  `json:"Relation Name"`
	Index    string  `json:"Index Name"`
	Rows     float64 `json:"Plan Rows"`
	// Cond is what an index is searched for, Filter what is checked of each row that it finds.
	Cond   string `json:"Index Cond"`
	Filter string `json:"Filter"`
	// Presorted is what an incremental sort finds in order.
	Presorted []string `json:"Presorted Key"`
	Plans     []node   `json:"Plans"`
}

// each calls a function for the node and all below it.
func (n node) each(call func(node)) {
	call(n)
	for _, below := range n.Plans {
		below.each(call)
	}
}

// plan asks PostgreSQL how it would execute a statement.
func (s statement) plan(t testing.TB, db *gorm.DB) node {
	t.Helper()
	var plans []struct{ Plan node }
	text := s.explain(t, db, "FORMAT JSON")
	require.NoError(t, json.Unmarshal([]byte(text), &plans), s.sql)
	require.Len(t, plans, 1)
	return plans[0].Plan
}

// genericPlan asks for the plan that PostgreSQL would keep for all values.
func (s statement) genericPlan(t testing.TB, db *gorm.DB) node {
	t.Helper()
	var plans []struct{ Plan node }
	require.NoError(t, db.Connection(func(tx *gorm.DB) error {
		pool := tx.Statement.ConnPool
		values := strings.TrimSuffix(strings.Repeat("NULL,", len(s.vars)), ",")
		if values != "" {
			values = "(" + values + ")"
		}
		for _, step := range []string{"SET plan_cache_mode = force_generic_plan", "PREPARE generic AS " + s.sql} {
			if _, err := pool.ExecContext(t.Context(), step); err != nil {
				return err
			}
		}
		text := statement{sql: "EXECUTE generic" + values}.explain(t, tx, "FORMAT JSON")
		for _, step := range []string{"DEALLOCATE generic", "RESET plan_cache_mode"} {
			if _, err := pool.ExecContext(t.Context(), step); err != nil {
				return err
			}
		}
		return json.Unmarshal([]byte(text), &plans)
	}), s.sql)
	require.Len(t, plans, 1)
	return plans[0].Plan
}

// explain returns PostgreSQL's EXPLAIN of a statement.
func (s statement) explain(t testing.TB, db *gorm.DB, options string) string {
	t.Helper()
	rows, err := db.Statement.ConnPool.QueryContext(t.Context(), fmt.Sprintf("EXPLAIN (%s) %s", options, s.sql), s.vars...)
	require.NoError(t, err, s.sql)
	defer rows.Close()
	var lines []string
	for rows.Next() {
		var line string
		require.NoError(t, rows.Scan(&line))
		lines = append(lines, line)
	}
	require.NoError(t, rows.Err(), s.sql)
	return strings.Join(lines, "\n")
}
