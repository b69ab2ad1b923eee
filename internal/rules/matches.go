package rules

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"

	lru "github.com/hashicorp/golang-lru/v2"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// A regular expression takes time for each of its steps and each byte of the text, and cannot be interrupted. So both are
// bounded: the longest match takes a tenth of a second.
const (
	maxPattern  = 256
	maxSteps    = 500
	maxMatched  = 64 << 10
	keptRegexps = 1000
)

var (
	errLongPattern    = fmt.Errorf("a regular expression has at most %d characters", maxPattern)
	errComplexPattern = errors.New("the regular expression is too complex; give it smaller repetitions")
	errLongText       = fmt.Errorf("a text for a regular expression has at most %d KiB", maxMatched>>10)
)

var regexps = func() *lru.Cache[string, *regexp.Regexp] {
	kept, err := lru.New[string, *regexp.Regexp](keptRegexps)
	if err != nil {
		panic(err) // for a size below 1
	}
	return kept
}()

// matches is CEL's function of that name, with bounds.
func matches(text, pattern ref.Val) ref.Val {
	matched, ok := text.(types.String)
	if !ok {
		return types.MaybeNoSuchOverloadErr(text)
	}
	by, ok := pattern.(types.String)
	if !ok {
		return types.MaybeNoSuchOverloadErr(pattern)
	}
	if len(matched) > maxMatched {
		return types.WrapErr(errLongText)
	}
	expression, err := compileRegexp(string(by))
	if err != nil {
		return types.WrapErr(err)
	}
	return types.Bool(expression.MatchString(string(matched)))
}

func compileRegexp(pattern string) (*regexp.Regexp, error) {
	if kept, ok := regexps.Get(pattern); ok {
		return kept, nil
	}
	if len(pattern) > maxPattern {
		return nil, errLongPattern
	}
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		var wrong *syntax.Error
		if errors.As(err, &wrong) {
			return nil, &patternError{wrong.Code.String()}
		}
		return nil, err
	}
	steps, err := syntax.Compile(parsed.Simplify())
	if err != nil || len(steps.Inst) > maxSteps {
		return nil, errComplexPattern
	}
	made, err := regexp.Compile(pattern)
	if err == nil {
		regexps.Add(pattern, made)
	}
	return made, err
}

// patternError says what is wrong with a regular expression, and not what is in it: it may come from an event's data.
type patternError struct{ what string }

func (e *patternError) Error() string { return "not a regular expression: " + e.what }

// checkPatterns refuses regular expressions that are written into the expression and cannot be used.
func checkPatterns(compiled *cel.Ast) *SyntaxError {
	var wrong *SyntaxError
	native := compiled.NativeRep()
	ast.PostOrderVisit(native.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if wrong != nil || e.Kind() != ast.CallKind || e.AsCall().FunctionName() != overloads.Matches {
			return
		}
		arguments := e.AsCall().Args()
		last := arguments[len(arguments)-1]
		if last.Kind() != ast.LiteralKind {
			return
		}
		pattern, ok := last.AsLiteral().(types.String)
		if !ok {
			return
		}
		if _, err := compileRegexp(string(pattern)); err != nil {
			at := native.SourceInfo().GetStartLocation(last.ID())
			wrong = &SyntaxError{Line: at.Line(), Column: at.Column() + 1, Message: err.Error()}
		}
	}))
	return wrong
}
