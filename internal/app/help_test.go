package app

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Each flag is explained in one line.
func TestHelpIsShort(t *testing.T) {
	t.Parallel()
	const most = 120
	for _, commands := range []any{&postrider{}, &dev{}} {
		parser, err := newParser(commands, productionVars())
		require.NoError(t, err)
		flags := 0
		for _, command := range parser.Model.Children {
			for _, flag := range command.Flags {
				flags++
				require.NotEmpty(t, flag.Help, flag.Name)
				require.LessOrEqual(t, len(flag.Help), most, flag.Name)
			}
		}
		require.Greater(t, flags, 10)
	}
}
