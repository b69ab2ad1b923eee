package models_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/models"
)

func TestCheckEventTypeAndPattern(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", models.MaxEventTypeLength)
	for _, test := range []struct {
		text              string
		isType, isPattern bool
	}{
		{"order", true, true},
		{"order.created", true, true},
		{"Order_1.made-up.v2", true, true},
		{long, true, true},
		{"order.*", false, true},
		{"order.created.*", false, true},
		{long + ".*", false, true},
		{"*", false, true},
		{"", false, false},
		{".*", false, false},
		{"**", false, false},
		{"*.created", false, false},
		{"order.*.created", false, false},
		{"order.*.*", false, false},
		{"order*", false, false},
		{"order.", false, false},
		{".order", false, false},
		{"order..created", false, false},
		{"order created", false, false},
		{"order\n", false, false},
		{"order\x00", false, false},
		{"bestellung.übermittelt", false, false},
		{long + "x", false, false},
		{long + "x.*", false, false},
	} {
		typeErr, patternErr := models.CheckEventType(test.text), models.CheckPattern(test.text)
		require.Equal(t, test.isType, typeErr == nil, test.text)
		require.Equal(t, test.isPattern, patternErr == nil, test.text)
		for _, err := range []error{typeErr, patternErr} {
			if err != nil {
				require.ErrorIs(t, err, models.ErrBadEventType)
			}
		}
	}
}

func TestPatternsMatching(t *testing.T) {
	t.Parallel()
	for eventType, want := range map[string][]string{
		"order":             {"*", "order"},
		"order.created":     {"*", "order.*", "order.created"},
		"a.b.c":             {"*", "a.*", "a.b.*", "a.b.c"},
		"webhook.test":      {"*", "webhook.*", "webhook.test"},
		"order-v2.created_": {"*", "order-v2.*", "order-v2.created_"},
	} {
		require.ElementsMatch(t, want, models.PatternsMatching(eventType))
	}
}

func FuzzPatternsMatching(f *testing.F) {
	for _, seed := range [][2]string{
		{"order.created", "order.*"}, {"order.created", "order.created"}, {"order", "order.*"}, {"a.b.c", "a.b.*"},
		{"orders.created", "order.*"}, {"a", "*"}, {"a.b", "a.b.*"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, eventType, pattern string) {
		if models.CheckEventType(eventType) != nil || models.CheckPattern(pattern) != nil {
			return
		}
		got := slices.Contains(models.PatternsMatching(eventType), pattern)
		require.Equal(t, matches(pattern, eventType), got, "%q against %q", eventType, pattern)
	})
}

// matches is what a pattern means, said plainly.
func matches(pattern, eventType string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(eventType, prefix)
	}
	return pattern == eventType
}
