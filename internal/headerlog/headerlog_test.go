package headerlog_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/headerlog"
)

func TestPackedHeadersComeBack(t *testing.T) {
	t.Parallel()
	fields := []headerlog.Field{
		{"Content-Length", "2"}, {"Content-Type", "text/plain; charset=utf-8"}, {"Date", "Sat, 28 Nov 2026 11:11:52 GMT"},
		{"X-Empty", ""}, {"X-Twice", "a"}, {"X-Twice", "b"}, {"X-Ümlaut", "ü"},
	}
	packed := headerlog.Pack(fields)
	require.Equal(t, fields[:6], headerlog.Unpack(packed)[:6])
	require.Less(t, len(headerlog.Pack(fields[:3])), 56, "what every answer has is small")
	require.Equal(t, packed, headerlog.Pack(fields), "nothing is kept from one message to the next")
	require.Empty(t, headerlog.Unpack(headerlog.Pack(nil)))
}

// A receiver may answer 64 KiB of headers.
func TestPackedHeadersAreBounded(t *testing.T) {
	t.Parallel()
	var fields []headerlog.Field
	for range 64 {
		fields = append(fields, headerlog.Field{Name: "X-Long", Value: strings.Repeat("ü\xff~", 300)})
	}
	packed := headerlog.Pack(fields)
	require.Less(t, len(packed), 16<<10)
	kept := headerlog.Unpack(packed)
	require.Len(t, kept, 8)
	require.Equal(t, headerlog.Field{Name: headerlog.Cut, Value: "57"}, kept[7])
	require.True(t, strings.HasSuffix(kept[0].Value, "…"))
	require.Less(t, len(headerlog.Pack([]headerlog.Field{{Name: strings.Repeat("N", 60<<10), Value: "v"}})), 100)
}

// FuzzUnpack shows that no bytes make more of themselves than their size allows, or break it.
func FuzzUnpack(f *testing.F) {
	f.Add(headerlog.Pack([]headerlog.Field{{Name: "Date", Value: "x"}}))
	f.Add([]byte{0x20, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x82})
	f.Fuzz(func(t *testing.T, packed []byte) {
		for _, field := range headerlog.Unpack(packed) {
			require.LessOrEqual(t, len(field.Value), 3*2*len(packed)+64)
		}
	})
}

func BenchmarkPack(b *testing.B) {
	fields := []headerlog.Field{{"Content-Length", "2"}, {"Content-Type", "text/plain; charset=utf-8"}, {"Date", "Sat, 28 Nov 2026 11:11:52 GMT"}}
	b.ReportAllocs()
	for b.Loop() {
		headerlog.Pack(fields)
	}
}
