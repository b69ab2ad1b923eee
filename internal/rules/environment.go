package rules

import (
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/decls"
	"cel.dev/cel-go/common/env"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/stdlib"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/ext"
)

const (
	// maxDepth bounds how deep the parts of an expression are in each other, maxNodes how many there are.
	maxDepth = 60
	maxNodes = 4000
)

// environment is what every expression is compiled in: CEL's own functions and macros, optional values, and macros with two
// variables. CEL's further functions for texts are left out: a single call of replace or join can fill the memory.
var environment = sync.OnceValues(func() (*cel.Env, error) {
	options := []cel.EnvOption{
		cel.StdLib(cel.StdLibSubset(&env.LibrarySubset{ExcludeFunctions: []*env.Function{
			{Name: operators.Add}, {Name: operators.Subtract}, {Name: operators.Multiply}, {Name: operators.Divide}, {Name: overloads.Matches},
		}})),
		cel.OptionalTypes(), ext.TwoVarComprehensions(), ext.Bindings(),
		cel.CrossTypeNumericComparisons(true),
		cel.ParserRecursionLimit(maxDepth), cel.ParserExpressionSizeLimit(MaxSource), cel.ExpressionNodeLimit(maxNodes),
		cel.DefaultUTCTimeZone(true),
		cel.Function(overloads.Matches,
			cel.Overload(overloads.Matches, []*cel.Type{cel.StringType, cel.StringType}, cel.BoolType),
			cel.MemberOverload(overloads.MatchesString, []*cel.Type{cel.StringType, cel.StringType}, cel.BoolType),
			cel.SingletonBinaryBinding(matches)),
	}
	for name, of := range arithmetic {
		options = append(options, of.option(name))
	}
	for name, kind := range variables {
		options = append(options, cel.Variable(name, kind))
	}
	return cel.NewCustomEnv(options...)
})

// operator is one of CEL's for two numbers, and for other values. In CEL a whole number and one with a fraction do not go
// together; here they do, because JSON does not tell 100 from 100.0, and a publisher may send either.
type operator struct {
	trait int
	apply func(a, b ref.Val) ref.Val
}

var arithmetic = map[string]operator{
	operators.Add:      {traits.AdderType, func(a, b ref.Val) ref.Val { return a.(traits.Adder).Add(b) }},
	operators.Subtract: {traits.SubtractorType, func(a, b ref.Val) ref.Val { return a.(traits.Subtractor).Subtract(b) }},
	operators.Multiply: {traits.MultiplierType, func(a, b ref.Val) ref.Val { return a.(traits.Multiplier).Multiply(b) }},
	operators.Divide:   {traits.DividerType, func(a, b ref.Val) ref.Val { return a.(traits.Divider).Divide(b) }},
}

func (o operator) option(name string) cel.EnvOption {
	options := []cel.FunctionOpt{
		cel.Overload(name+"int_double", []*cel.Type{cel.IntType, cel.DoubleType}, cel.DoubleType),
		cel.Overload(name+"double_int", []*cel.Type{cel.DoubleType, cel.IntType}, cel.DoubleType),
		cel.SingletonBinaryBinding(func(a, b ref.Val) ref.Val { return o.apply(sameKind(a, b)) }, o.trait),
	}
	for _, function := range stdlib.Functions() {
		if function.Name() == name {
			options = append(options, overloadsOf(function)...)
		}
	}
	return cel.Function(name, options...)
}

func overloadsOf(function *decls.FunctionDecl) (options []cel.FunctionOpt) {
	for _, overload := range function.OverloadDecls() {
		options = append(options, cel.Overload(overload.ID(), overload.ArgTypes(), overload.ResultType()))
	}
	return options
}

// sameKind makes two numbers of the same kind.
func sameKind(a, b ref.Val) (ref.Val, ref.Val) {
	whole, isWhole := a.(types.Int)
	if _, ok := b.(types.Double); ok && isWhole {
		return types.Double(whole), b
	}
	whole, isWhole = b.(types.Int)
	if _, ok := a.(types.Double); ok && isWhole {
		return a, types.Double(whole)
	}
	return a, b
}
