package rules

import (
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// work says what a call costs. CEL's own costs are those of calls whose types are known when they are compiled, which
// data's are not: it would count a search through a megabyte as one step.
type work struct{}

// bytesPerUnit is how many bytes are read in the time of one unit.
const bytesPerUnit = 10

// CallCost is the cost of one call.
func (work) CallCost(function, _ string, arguments []ref.Val, result ref.Val) *uint64 {
	cost := uint64(1)
	if types.IsError(result) {
		return &cost
	}
	for _, argument := range arguments {
		cost += size(argument, readsAll[function])
	}
	if function == overloads.Matches {
		cost *= bytesPerUnit // by each step of the regular expression
	}
	return &cost
}

// readsAll are the functions that read a list or an object to its end.
var readsAll = map[string]bool{operators.Equals: true, operators.NotEquals: true, operators.In: true}

func size(value ref.Val, all bool) uint64 {
	switch v := value.(type) {
	case types.String:
		return uint64(len(v)) / bytesPerUnit
	case types.Bytes:
		return uint64(len(v)) / bytesPerUnit
	case object:
		if all {
			return uint64(len(v.raw)) / bytesPerUnit
		}
	case list:
		if all {
			return uint64(len(v.raw)) / bytesPerUnit
		}
	case traits.Sizer:
		if n, ok := v.Size().(types.Int); ok && all {
			return uint64(n)
		}
	}
	return 0
}
