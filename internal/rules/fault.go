package rules

import (
	"errors"
	"fmt"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"
)

// Fault says why an expression could not be evaluated, and where. It tells nothing of the event's data: it goes into logs
// and into Temporal's history, which must not have any.
type Fault struct {
	Kind Kind
	// Line and Column count from 1; they are 0 where no single place is to blame.
	Line, Column int
	What         string
}

// Error has the place and what went wrong.
func (f *Fault) Error() string {
	if f.Line == 0 {
		return string(f.Kind) + ": " + f.What
	}
	return fmt.Sprintf("%s: line %d, column %d: %s", f.Kind, f.Line, f.Column, f.What)
}

// in is the fault in an expression of a kind.
func (f Fault) in(kind Kind) *Fault {
	f.Kind = kind
	return &f
}

const (
	tookTooLong  = "it took too long"
	needsTooMuch = "it needs too much work; look at fewer items"
)

// reasons say in our words what CEL says. Its own words may repeat a value.
var reasons = []struct{ says, means string }{
	{"no such key", "there is no such member; ask has(…) first, or write .?name.orValue(…)"},
	{"no such attribute", "there is no such member; ask has(…) first, or write .?name.orValue(…)"},
	{"no such overload", "these values do not go together, such as a text and a number"},
	{"unsupported key type", "these values do not go together, such as a text and a number"},
	{"unsupported index type", "a list is asked by a number"},
	{"index out of bounds", "the list has no such position"},
	{"invalid_argument", "the list has no such position"},
	{"division by zero", "division by zero"},
	{"modulus by zero", "division by zero"},
	{"overflow", "the number gets too large"},
	{"range", "the number gets too large"},
	{"type conversion", "the value cannot be converted"},
	{"strconv.", "the text cannot be read as a number"},
	{"optional.none() dereference", "the optional value is not there; use orValue(…)"},
	{"duplicate key", "a key is there twice"},
}

// explainFault says what went wrong where.
func explainFault(kind Kind, source *ast.SourceInfo, err error) *Fault {
	fault := &Fault{Kind: kind, What: "a value cannot be used like this"}
	var cancelled interpreter.EvalCancelledError
	switch {
	case errors.As(err, &cancelled) && cancelled.Cause == interpreter.CostLimitExceeded:
		fault.What = needsTooMuch
		return fault
	case errors.As(err, &cancelled), errors.Is(err, interpreter.InterruptError{}):
		fault.What = tookTooLong
		return fault
	}
	var wrong *types.Err
	if errors.As(err, &wrong) {
		if at := source.GetStartLocation(wrong.NodeID()); at.Line() > 0 {
			fault.Line, fault.Column = at.Line(), at.Column()+1
		}
	}
	fault.What = reasonOf(err, fault.What)
	return fault
}

func reasonOf(err error, otherwise string) string {
	var pattern *patternError
	if errors.As(err, &pattern) || errors.Is(err, errLongPattern) || errors.Is(err, errComplexPattern) || errors.Is(err, errLongText) {
		return err.Error()
	}
	for _, reason := range reasons {
		if strings.Contains(err.Error(), reason.says) {
			return reason.means
		}
	}
	return otherwise
}

// boolOf is what a filter gave.
func boolOf(value ref.Val) (bool, error) {
	passes, ok := value.(types.Bool)
	if !ok {
		return false, &Fault{Kind: Filter, Line: 1, Column: 1, What: "it gave " + nameOf(value) + ", not true or false"}
	}
	return bool(passes), nil
}

// names are those of JSON, where it has one.
var names = map[string]string{
	"string": "a text", "int": "a number", "uint": "a number", "double": "a number", "bool": "true or false", "null_type": "null",
	"list": "a list", "map": "an object", "google.protobuf.Timestamp": "a time", "google.protobuf.Duration": "a duration",
	"optional_type": "an optional value", "type": "a type", "bytes": "bytes",
}

func nameOf(value ref.Val) string {
	if value == nil {
		return "nothing"
	}
	return nameOfName(value.Type().TypeName())
}

func nameOfType(of *cel.Type) string { return nameOfName(of.TypeName()) }

func nameOfName(name string) string {
	if known, ok := names[name]; ok {
		return known
	}
	return "a value of another kind"
}

// hints tell what may be meant by a name that is not there.
var hints = map[string]string{
	"event":   "event has id, type, time and owner_id",
	"webhook": "webhook has id, owner_id, host, external_id and metadata",
}

// explainIssues turns the first of CEL's complaints into ours.
func explainIssues(issues *cel.Issues) *SyntaxError {
	all := issues.Errors()
	if len(all) == 0 {
		return &SyntaxError{1, 1, "cannot be compiled"}
	}
	first := all[0]
	message := first.Message
	if name, ok := strings.CutPrefix(message, "undeclared reference to '"); ok {
		name, _, _ = strings.Cut(name, "'")
		message = "there is nothing named " + name + "; an expression has data, event, metadata, webhook and CEL's standard functions"
		first, _, _ := strings.Cut(name, ".")
		if hint := hints[first]; hint != "" {
			message = hint
		}
	}
	message = strings.TrimPrefix(message, "Syntax error: ")
	return &SyntaxError{Line: max(first.Location.Line(), 1), Column: max(first.Location.Column()+1, 1), Message: message}
}
