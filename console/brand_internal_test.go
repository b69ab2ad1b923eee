package console

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseBrand(t *testing.T) {
	t.Parallel()
	b, err := ParseBrand("")
	require.NoError(t, err)
	require.Empty(t, b.style())
	b, err = ParseBrand(`{"name":"Acme","logo_url":"https://acme.example/logo.svg","colour":"#E0B000"}`)
	require.NoError(t, err)
	require.Equal(t, "https://acme.example", b.logoSource())
	_, err = ParseBrand(`{"logo_url":"data:image/png;base64,AAAA"}`)
	require.NoError(t, err)
	for _, wrong := range []string{
		"Acme", `{"title":"x"}`, `{"colour":"red"}`, `{"colour":"#12345"}`, `{"colour":"#123456;}"}`, `{"logo_url":"http://acme.example/x.png"}`,
		`{"logo_url":"javascript:alert(1)"}`, `{"logo_url":"data:text/html,x"}`, `{"logo_url":"https://a;script-src/x"}`, `{"name":"` + strings.Repeat("x", 61) + `"}`,
	} {
		_, err := ParseBrand(wrong)
		require.Error(t, err, wrong)
	}
}

// Whatever colour a brand has, its links and the texts on its buttons can be read, light and dark.
func TestBrandsCanBeRead(t *testing.T) {
	t.Parallel()
	for _, hex := range []string{"#000000", "#ffffff", "#ffff00", "#808080", "#2350d8", "#ff0000", "#00ff00", "#12161c", "#777777"} {
		c := parseColour(hex)
		require.Equal(t, hex, c.String())
		light, dark := c.against(lightGround, colour{}), c.against(darkGround, lightGround)
		require.GreaterOrEqual(t, light.contrast(lightGround), readable, hex)
		require.GreaterOrEqual(t, dark.contrast(darkGround), readable, hex)
		require.GreaterOrEqual(t, light.text().contrast(light), readable, hex)
		require.GreaterOrEqual(t, dark.text().contrast(dark), readable, hex)
	}
	require.InDelta(t, 21, colour{}.contrast(lightGround), 0.01)
	require.Contains(t, Brand{Colour: "#2350d8"}.style(), "--accent: #2350d8;")
}
