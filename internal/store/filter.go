package store

import (
	"slices"
	"strings"

	"gorm.io/gorm"
)

// oneOf is a filter: a column must have one of some values. Without values it narrows nothing.
type oneOf struct {
	column string
	values []string
}

// is makes a filter of a column.
func is[T ~string](column string, values []T) oneOf {
	of := oneOf{column: column}
	for _, value := range values {
		if !slices.Contains(of.values, string(value)) {
			of.values = append(of.values, string(value))
		}
	}
	return of
}

// mostBranches bounds the parts of one statement.
const mostBranches = 100

// filtered adds filters and then a page to a query over the rows of its model.
//
// An index that begins with a column has the rows of one value in the order of their IDs, but not those of several
// values together: the database would read and sort all of them for one page. So each combination of values is a branch
// of its own, which reads as many rows as the page holds at most, and the page is merged from them. The filters that come
// first are split first; those for which it would become too much are a condition of every branch.
func filtered(q *gorm.DB, filters []oneOf, onPage func(*gorm.DB) *gorm.DB) *gorm.DB {
	branches := []*gorm.DB{q}
	for _, filter := range filters {
		branches = filter.split(branches)
	}
	if len(branches) == 1 {
		return onPage(branches[0])
	}
	db := q.Session(&gorm.Session{NewDB: true})
	parts, subqueries := make([]string, len(branches)), make([]any, len(branches))
	for i, branch := range branches {
		parts[i] = "SELECT * FROM (?) AS branch" // whose columns are named
		subqueries[i] = onPage(branch)
	}
	of := &gorm.Statement{DB: db}
	if err := of.Parse(q.Statement.Model); err != nil {
		_ = db.AddError(err)
		return db
	}
	return onPage(db.Table("("+strings.Join(parts, " UNION ALL ")+") AS "+of.Table, subqueries...))
}

// split adds the filter to each branch, or makes several of it, one for each value.
func (f oneOf) split(branches []*gorm.DB) []*gorm.DB {
	var split []*gorm.DB
	for _, branch := range branches {
		branch = branch.Session(&gorm.Session{})
		switch {
		case len(f.values) == 0:
			split = append(split, branch)
		case len(f.values) == 1 || len(branches)*len(f.values) > mostBranches:
			split = append(split, f.of(branch, f.values))
		default:
			for _, value := range f.values {
				split = append(split, f.of(branch, []string{value}))
			}
		}
	}
	return split
}

// on narrows a query that is not read page by page.
func (f oneOf) on(q *gorm.DB) *gorm.DB {
	if len(f.values) == 0 {
		return q
	}
	return f.of(q, f.values)
}

func (f oneOf) of(q *gorm.DB, values []string) *gorm.DB {
	if len(values) == 1 {
		return q.Where(f.column+" = ?", values[0])
	}
	return q.Where(f.column+" IN ?", values)
}
