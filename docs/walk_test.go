package docs_test

import (
	"cmp"
	"fmt"
	"go/ast"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// step is a function on the way, with the one that calls it.
type step struct {
	function, file string
	caller         *step
	// remote says that the call goes through Temporal, by the name of a workflow or an activity.
	remote bool
}

// folder is the package's.
func (s *step) folder() string { return path.Dir(s.file) }

// The walk names functions that are there, each called by the one that it stands under.
func TestWalkFollowsTheCode(t *testing.T) {
	t.Parallel()
	for title, steps := range walks(t) {
		for _, s := range steps {
			require.FileExists(t, "../"+s.file, "walk.md, %s: %s is gone: write where %s is now", title, s.file, s.function)
			declared := declarationsOf(t, s.file)
			_, isFunction := declared[s.function].(*ast.FuncDecl)
			require.True(t, isFunction, "walk.md, %s: %s has no function %s: write its name or its file anew", title, s.file, s.function)
			if s.caller == nil || s.remote {
				continue
			}
			_, method, _ := strings.Cut(s.function, ".")
			require.True(t, mentions(declarationsOf(t, s.caller.file)[s.caller.function], cmp.Or(method, s.function)),
				"walk.md, %s: %s does not call %s any more: put it under its caller", title, s.caller.function, s.function)
		}
	}
}

// A newcomer follows a delivery, a resend or an inbound event through at most so many functions, files and moves.
func TestWalksAreShort(t *testing.T) {
	t.Parallel()
	const mostFunctions, mostFiles, mostMoves = 45, 20, 10
	text, err := os.ReadFile("walk.md")
	require.NoError(t, err)
	for title, steps := range walks(t) {
		functions, files, moves := count(steps)
		summary := fmt.Sprintf("%d functions in %d files, %d moves between packages", functions, files, moves)
		require.True(t, strings.Contains(string(text), "## "+title+"\n\n"+summary), "walk.md, %s: its count is now %q", title, summary)
		require.LessOrEqual(t, functions, mostFunctions, title)
		require.LessOrEqual(t, files, mostFiles, title)
		require.LessOrEqual(t, moves, mostMoves, title)
	}
}

// count counts functions and files, and moves: steps that enter another package. Going back is none, and neither is a step
// into the package of the one before.
func count(steps []*step) (functions, files, moves int) {
	seenFunctions, seenFiles := map[string]bool{}, map[string]bool{}
	for i, s := range steps {
		seenFunctions[s.file+" "+s.function] = true
		seenFiles[s.file] = true
		if s.caller != nil && s.caller.folder() != s.folder() && steps[i-1].folder() != s.folder() {
			moves++
		}
	}
	return len(seenFunctions), len(seenFiles), moves
}

// walks returns the steps of each section of walk.md that has some, in their order.
func walks(t *testing.T) map[string][]*step {
	t.Helper()
	text, err := os.ReadFile("walk.md")
	require.NoError(t, err)
	item := regexp.MustCompile("^( *)- `([\\w.]+)` \\(`([\\w./]+\\.go)`(, through Temporal)?\\): .+")
	all := map[string][]*step{}
	title := ""
	var callers []*step
	for line := range strings.Lines(string(text)) {
		if heading, ok := strings.CutPrefix(line, "## "); ok {
			title, callers = strings.TrimSpace(heading), nil
			continue
		}
		match := item.FindStringSubmatch(line)
		if match == nil {
			require.NotRegexp(t, "^ *- ", line, "walk.md: a step is: - `Type.Function` (`path/file.go`): what it does")
			continue
		}
		depth := len(match[1]) / 2
		require.LessOrEqual(t, depth, len(callers), "walk.md: %s is indented too far", match[2])
		s := &step{function: match[2], file: match[3], remote: match[4] != ""}
		if callers = callers[:depth]; depth > 0 {
			s.caller = callers[depth-1]
		}
		callers = append(callers, s)
		all[title] = append(all[title], s)
	}
	require.NotEmpty(t, all)
	return all
}
