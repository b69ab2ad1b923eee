package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// declarationsOf parses a file of the project and returns what it declares at the top level, by name: Func,
// Type.Method, Type.
func declarationsOf(t *testing.T, path string) map[string]ast.Node {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, path), nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	declared := map[string]ast.Node{}
	for _, declaration := range file.Decls {
		switch d := declaration.(type) {
		case *ast.FuncDecl:
			declared[receiverOf(d)+d.Name.Name] = d
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch s := spec.(type) {
				case *ast.TypeSpec:
					declared[s.Name.Name] = s
				case *ast.ValueSpec:
					for _, name := range s.Names {
						declared[name.Name] = s
					}
				}
			}
		}
	}
	return declared
}

// receiverOf returns "Type." for a method and nothing for a function.
func receiverOf(function *ast.FuncDecl) string {
	if function.Recv == nil {
		return ""
	}
	kind := function.Recv.List[0].Type
	if pointer, ok := kind.(*ast.StarExpr); ok {
		kind = pointer.X
	}
	if generic, ok := kind.(*ast.IndexExpr); ok {
		kind = generic.X
	}
	if generic, ok := kind.(*ast.IndexListExpr); ok {
		kind = generic.X
	}
	name, ok := kind.(*ast.Ident)
	if !ok {
		return ""
	}
	return name.Name + "."
}

// mentions says that a name stands in a declaration.
func mentions(declaration ast.Node, name string) bool {
	found := false
	ast.Inspect(declaration, func(node ast.Node) bool {
		if identifier, ok := node.(*ast.Ident); ok && identifier.Name == name {
			found = true
		}
		return !found
	})
	return found
}
