package app

import (
	"context"
	"io"
	"reflect"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"
)

// Each flag is explained in one line.
func TestHelpIsShort(t *testing.T) {
	t.Parallel()
	const most = 120
	for _, commands := range []any{&postrider{}, &dev{}} {
		parser, err := kong.New(commands, productionVars(), kong.BindTo(t.Context(), (*context.Context)(nil)), kong.BindTo(io.Discard, (*io.Writer)(nil)),
			kong.TypeMapper(reflect.TypeFor[time.Duration](), kong.MapperFunc(duration)))
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
