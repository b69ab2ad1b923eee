package view

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"strings"

	"golang.org/x/text/language"
)

// Texts are written in English where they stand, and are the names of their translations: another language is one more file
// in messages, from the English texts to its own.

//go:embed messages/*.json
var messageFiles embed.FS

// messages are the translations by language; English has none.
var messages, languages = readMessages()

func readMessages() (map[string]map[string]string, language.Matcher) {
	all, tags := map[string]map[string]string{"en": nil}, []language.Tag{language.English}
	entries, err := messageFiles.ReadDir("messages")
	if err != nil {
		panic(err) // it is embedded
	}
	for _, entry := range entries {
		content, err := messageFiles.ReadFile(path.Join("messages", entry.Name()))
		if err != nil {
			panic(err)
		}
		name := strings.TrimSuffix(entry.Name(), ".json")
		texts := map[string]string{}
		if err := json.Unmarshal(content, &texts); err != nil {
			panic(fmt.Errorf("%s: %w", entry.Name(), err)) // a test reads them all
		}
		all[name] = texts
		tags = append(tags, language.MustParse(name))
	}
	return all, language.NewMatcher(tags)
}

// Language is the best of ours for what a browser accepts, such as de.
func Language(accepted string) string {
	tag, _ := language.MatchStrings(languages, accepted)
	base, _ := tag.Base()
	return base.String()
}

type languageKey struct{}

// WithLanguage has everything that is rendered with a context be in a language.
func WithLanguage(ctx context.Context, name string) context.Context {
	return context.WithValue(ctx, languageKey{}, name)
}

func languageOf(ctx context.Context) string {
	name, ok := ctx.Value(languageKey{}).(string)
	if !ok {
		return "en"
	}
	return name
}

// say is a text in the viewer's language, with values in the places of its verbs, as fmt.Sprintf puts them.
func say(ctx context.Context, text string, values ...any) string {
	if translated, ok := messages[languageOf(ctx)][text]; ok {
		text = translated
	}
	if len(values) == 0 {
		return text
	}
	return fmt.Sprintf(text, values...)
}
