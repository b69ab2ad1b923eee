package service

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postrider/postrider/models"
)

// Bounds of what requests sign in with.
const (
	maxCredential = 4096
	maxScopes     = 50
)

// AuthSetting says how requests sign in: one of the three. In a change, what is left out of one that stays of the same kind
// stays as it is.
type AuthSetting struct {
	Basic  *BasicSetting
	Bearer *BearerSetting
	OAuth2 *OAuth2Setting
}

// BasicSetting is a user name and password.
type BasicSetting struct{ Username, Password *string }

// BearerSetting is a token.
type BearerSetting struct{ Token *string }

// OAuth2Setting says where tokens come from. Empty texts take the optional ones away.
type OAuth2Setting struct {
	TokenURL, ClientID, ClientSecret, Audience, AuthMethod *string
	Scopes                                                 *[]string
}

// auth checks how requests sign in, and returns it as it is stored. before is what the webhook has; nil for nothing.
func (f *faults) auth(in AuthSetting, before *models.Auth, by judge) *models.Auth {
	made, kinds := models.Auth{}, 0
	if before == nil {
		before = &models.Auth{}
	}
	if in.Basic != nil {
		kinds++
		made.Basic = f.basic(*in.Basic, orZero(before.Basic))
	}
	if in.Bearer != nil {
		kinds++
		made.Bearer = &models.BearerAuth{Token: valueOr(in.Bearer.Token, orZero(before.Bearer).Token)}
		f.credential("auth.bearer.token", made.Bearer.Token)
		if strings.ContainsFunc(made.Bearer.Token, notVisibleASCII) {
			f.add("auth.bearer.token", "expected a token of visible ASCII characters, without the word Bearer before it")
		}
	}
	if in.OAuth2 != nil {
		kinds++
		made.OAuth2 = f.oauth2(*in.OAuth2, orZero(before.OAuth2), by)
	}
	if kinds != 1 {
		f.add("auth", "expected one of basic, bearer and oauth2, or null for none")
	}
	return &made
}

func (f *faults) basic(in BasicSetting, before models.BasicAuth) *models.BasicAuth {
	made := models.BasicAuth{Username: valueOr(in.Username, before.Username), Password: valueOr(in.Password, before.Password)}
	f.credential("auth.basic.username", made.Username)
	if made.Password != "" { // a key as user name often has no password
		f.credential("auth.basic.password", made.Password)
	}
	if strings.Contains(made.Username, ":") {
		f.add("auth.basic.username", "expected no colon: it ends the user name")
	}
	return &made
}

func (f *faults) oauth2(in OAuth2Setting, before models.OAuth2, by judge) *models.OAuth2 {
	made := models.OAuth2{
		TokenURL: valueOr(in.TokenURL, before.TokenURL), ClientID: valueOr(in.ClientID, before.ClientID),
		ClientSecret: valueOr(in.ClientSecret, before.ClientSecret), Scopes: valueOr(in.Scopes, before.Scopes),
		Audience: valueOr(in.Audience, before.Audience), AuthMethod: valueOr(in.AuthMethod, before.AuthMethod),
	}
	if stored, _, err := by.CheckURL(made.TokenURL); err != nil {
		f.add("auth.oauth2.token_url", by.explain(err))
	} else {
		made.TokenURL = stored
	}
	f.credential("auth.oauth2.client_id", made.ClientID)
	f.credential("auth.oauth2.client_secret", made.ClientSecret)
	f.oneOf("auth.oauth2.auth_method", made.AuthMethod, models.ClientSecretBasic, models.ClientSecretPost)
	if made.Audience != "" {
		f.credential("auth.oauth2.audience", made.Audience)
	}
	scope := func(text string) bool {
		return text == "" || strings.ContainsFunc(text, notVisibleASCII) || len(text) > maxToken
	}
	if len(made.Scopes) > maxScopes || slices.ContainsFunc(made.Scopes, scope) {
		f.add("auth.oauth2.scopes", fmt.Sprintf("expected at most %d scopes, each of visible ASCII characters without blanks", maxScopes))
	}
	return &made
}

// credential checks a text that is sent.
func (f *faults) credential(location, text string) {
	switch fault := endFault(text); {
	case text == "":
		f.add(location, "expected a text that is not empty")
	case strings.Contains(text, Masked):
		f.add(location, Masked+" stands for a value that is not shown: give the value, or leave it out to keep it as it is")
	case fault != "":
		f.add(location, fault)
	case len(text) > maxCredential || strings.ContainsFunc(text, isControl) || !storable(text):
		f.add(location, fmt.Sprintf("expected at most %d bytes of text without control characters", maxCredential))
	}
}

// valueOr is what is given, or else what was.
func valueOr[T any](given *T, before T) T {
	if given == nil {
		return before
	}
	return *given
}

// orZero is what a pointer points to, or the zero value.
func orZero[T any](of *T) T {
	var zero T
	return valueOr(of, zero)
}
