package api_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
)

// refuses expects that an operation does not reach what another owner calls by a name: the answer is as if it was of nothing.
func (s *server) refuses(of template, mine tenant, at name, named string) {
	s.t.Helper()
	reply := s.fill(of, mine.key, mine, at, named)
	require.Contains(s.t, of.refusals(at), reply.status, "%s of another owner: %s", at, reply.body)
	switch {
	case at.of != "":
		require.Contains(s.t, reply.body, `"error":{`, "%s of another owner", at)
	case reply.status < 300:
		require.Empty(s.t, reply.found(), "%s of another owner", at)
	}
	unknown := s.unknownAs(at.kind, named)
	nothing := s.fill(of, mine.key, mine, at, unknown)
	require.Equal(s.t, nothing.status, reply.status, "%s of another owner, and of nothing", at)
	require.Equal(s.t, strings.ReplaceAll(nothing.body, unknown, named), reply.body, "%s of another owner, and of nothing", at)
}

// found are the things of a list, and of statistics the intervals in which anything happened.
func (r reply) found() []map[string]any {
	items, _ := r.list()
	return slices.DeleteFunc(items, func(item map[string]any) bool { return item["published"] == 0.0 && item["attempts"] == 0.0 })
}

// forAdmins says that owners may not call the operation.
func (o template) forAdmins() bool { return o.AdminsOnly }

func (o template) isList() bool {
	one := false // of the installation
	for _, kept := range installations {
		one = one || strings.HasSuffix(o.Path, "/"+kept)
	}
	return o.Method == http.MethodGet && !strings.Contains(o.Path, "{") && !one
}

// success is the status of a success.
func (o template) success() int {
	for status := range o.Responses {
		if code, err := strconv.Atoi(status); err == nil && code < http.StatusMultipleChoices {
			return code
		}
	}
	return http.StatusOK
}

// refusals are the answers to a request that names what is not there.
func (o template) refusals(at name) []int {
	switch {
	case o.forAdmins():
		return []int{http.StatusForbidden, http.StatusNotFound}
	case at.in == "path":
		return []int{http.StatusNotFound}
	case at.in == "query" && o.isList():
		return []int{http.StatusOK}
	case at.of != "":
		return []int{o.success()} // each of a list has an answer of its own
	}
	return []int{http.StatusNotFound, http.StatusUnprocessableEntity}
}

// settle waits until the workflow of every delivery is started, which is not a part of the request that publishes.
func (s *server) settle() {
	s.t.Helper()
	var ids []string
	require.NoError(s.t, s.db.Table("deliveries").Pluck("id", &ids).Error)
	require.Eventually(s.t, func() bool {
		started := s.temporal.asked()
		return !slices.ContainsFunc(ids, func(id string) bool { return !slices.Contains(started, "start "+id) })
	}, 30*time.Second, time.Millisecond)
}

// state is every row of every table, but for when a key was last used, and what Temporal was asked for.
func (s *server) state() []string {
	s.t.Helper()
	state := s.temporal.asked()
	tables, err := s.db.Migrator().GetTables()
	require.NoError(s.t, err)
	require.Contains(s.t, tables, "webhooks")
	for _, table := range tables {
		var rows []map[string]any
		require.NoError(s.t, s.db.Table(table).Find(&rows).Error)
		for _, row := range rows {
			delete(row, "last_used_at")
			state = append(state, fmt.Sprint(table, " ", row))
		}
	}
	return state
}

// difference returns the lines that only one of two states has.
func difference(before, after []string) (lines []string) {
	for sign, state := range map[string][2][]string{"-": {before, after}, "+": {after, before}} {
		for _, line := range state[0] {
			if !slices.Contains(state[1], line) {
				lines = append(lines, sign+line)
			}
		}
	}
	return lines
}
