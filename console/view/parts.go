package view

import (
	"context"
	"crypto/rand"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// once is a new key for a call that is to be made once, however often its button is pressed.
func once() string { return rand.Text() }

// words is a name of the API as people write it.
func words(name string) string { return strings.ReplaceAll(name, "_", " ") }

// shortened is the beginning of a text, for labels.
func shortened(text string) string {
	const most = 40
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most]) + "…"
}

func linkTo(ctx context.Context, path string) string { return frameOf(ctx).Base + path }

func has(values []string, one string) bool { return slices.Contains(values, one) }

func sorted(of map[string]string) []string { return slices.Sorted(maps.Keys(of)) }
