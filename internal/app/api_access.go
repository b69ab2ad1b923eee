package app

import (
	"errors"
	"fmt"
	"strings"
)

// APIAccess is where the API is, and as whom commands ask it.
type APIAccess struct {
	URL string `name:"url" env:"POSTRIDER_URL" default:"http://127.0.0.1:8080" help:"Where the API is."`
	Key string `env:"POSTRIDER_KEY" required:"" help:"An API key."`
}

// check names what is empty: it may be a variable that is not set.
func (a APIAccess) check() error {
	switch {
	case strings.TrimSpace(a.Key) == "":
		return errors.New("--key ($POSTRIDER_KEY) is empty; it takes an API key, such as the admin key that postrider-dev prints")
	case !isBaseURL(a.URL):
		return fmt.Errorf("--url ($POSTRIDER_URL) must be a URL such as http://127.0.0.1:8080, not %q", a.URL)
	}
	return nil
}
