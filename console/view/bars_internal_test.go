package view

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/models"
)

// Columns stand on the ground, to scale, the failures on what was delivered; what is not nothing can be seen.
func TestBars(t *testing.T) {
	t.Parallel()
	of := Bars{Width: 8, Height: 23, Points: []service.Point{
		{Tally: models.Tally{Delivered: 1000}}, {}, {Tally: models.Tally{Delivered: 500, Failed: 1}}, {Tally: models.Tally{Failed: 250}},
	}}
	require.Equal(t, "M0 23V3h1.5V23zM4 23V13h1.5V23z", of.good())
	require.Equal(t, "M4 13V11.5h1.5V13zM6 23V18h1.5V23z", of.bad())
	require.Empty(t, Bars{Width: 8, Height: 23}.good())
}
