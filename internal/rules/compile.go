package rules

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types/ref"
)

// Kind says what an expression is for.
type Kind string

// The kinds.
const (
	Filter    Kind = "filter"
	Transform Kind = "transform"
)

// expression is one as its owner wrote it.
type expression struct {
	kind   Kind
	source string
}

// most is how much work an expression may cost, in CEL's units: about a step of work each.
func (e expression) most() uint64 {
	if e.kind == Filter {
		return 100_000
	}
	return 1_000_000
}

// compiled is an expression that is ready to be evaluated.
type compiled struct {
	program cel.Program
	source  *ast.SourceInfo
	// loops says that its time depends on the data: it is interrupted when it takes too long.
	loops bool
	// wrong, unless nil, says that it cannot be compiled.
	wrong *SyntaxError
}

// SyntaxError says what is wrong with an expression, and where, counted from 1.
type SyntaxError struct {
	Line, Column int
	Message      string
}

// Error has the place and what is wrong.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Message)
}

// Check compiles an expression. Its error is a *SyntaxError.
func (e *Engine) Check(kind Kind, source string) error {
	if wrong := e.compile(expression{kind, source}).wrong; wrong != nil {
		return wrong
	}
	return nil
}

// compile returns an expression compiled, as it was kept or anew.
func (e *Engine) compile(of expression) *compiled {
	if kept, ok := e.kept.Get(of); ok {
		return kept
	}
	made, wrong := newCompiled(of)
	if wrong != nil {
		return &compiled{wrong: wrong}
	}
	e.kept.Add(of, made)
	return made
}

func newCompiled(of expression) (*compiled, *SyntaxError) {
	if wrong := checkSource(of.source); wrong != nil {
		return nil, wrong
	}
	env, err := environment()
	if err != nil {
		return nil, &SyntaxError{1, 1, "cannot be compiled at present"}
	}
	checked, issues := env.Compile(of.source)
	if issues.Err() != nil {
		return nil, explainIssues(issues)
	}
	if kind := checked.OutputType(); of.kind == Filter && !kind.IsExactType(cel.BoolType) && !kind.IsExactType(cel.DynType) {
		return nil, &SyntaxError{1, 1, "a filter gives true or false, such as data.amount > 100; this gives " + nameOfType(kind)}
	}
	if wrong := checkPatterns(checked); wrong != nil {
		return nil, wrong
	}
	const checkEvery = 10 // rounds of a loop
	options := []cel.ProgramOption{cel.CostTracking(work{}), cel.CostLimit(of.most()), cel.InterruptCheckFrequency(checkEvery)}
	loops, matches := looksFor(checked.NativeRep().Expr())
	if !matches {
		// It would replace our matches by one without bounds.
		options = append(options, cel.EvalOptions(cel.OptOptimize))
	}
	program, err := env.Program(checked, options...)
	if err != nil {
		return nil, &SyntaxError{1, 1, err.Error()}
	}
	return &compiled{program: program, source: checked.NativeRep().SourceInfo(), loops: loops}, nil
}

func checkSource(source string) *SyntaxError {
	switch {
	case strings.TrimSpace(source) == "":
		return &SyntaxError{1, 1, "expected an expression, such as data.amount > 100"}
	case len(source) > MaxSource:
		return &SyntaxError{1, 1, fmt.Sprintf("expected at most %d bytes", MaxSource)}
	case !utf8.ValidString(source) || strings.ContainsRune(source, 0):
		return &SyntaxError{1, 1, "expected text in UTF-8 without NUL"}
	}
	return nil
}

// looksFor says whether an expression has loops, and whether it has regular expressions.
func looksFor(root ast.Expr) (loops, matches bool) {
	ast.PostOrderVisit(root, ast.NewExprVisitor(func(e ast.Expr) {
		loops = loops || e.Kind() == ast.ComprehensionKind
		matches = matches || e.Kind() == ast.CallKind && e.AsCall().FunctionName() == overloads.Matches
	}))
	return loops, matches
}

// evaluate evaluates an expression within a time. Its error is a *Fault.
func (e *Engine) evaluate(ctx context.Context, of expression, about facts, within time.Duration) (ref.Val, error) {
	ready := e.compile(of)
	switch {
	case ready.wrong != nil:
		return nil, &Fault{Kind: of.kind, Line: ready.wrong.Line, Column: ready.wrong.Column, What: "it cannot be compiled: " + ready.wrong.Message}
	case about.fault != nil:
		return nil, about.fault.in(of.kind)
	case ctx.Err() != nil:
		return nil, &Fault{Kind: of.kind, What: tookTooLong}
	}
	var value ref.Val
	var err error
	if ready.loops {
		limited, cancel := context.WithTimeout(ctx, within)
		defer cancel()
		value, _, err = ready.program.ContextEval(limited, about)
	} else {
		value, _, err = ready.program.Eval(about)
	}
	if err != nil {
		return nil, explainFault(of.kind, ready.source, err)
	}
	return value, nil
}
