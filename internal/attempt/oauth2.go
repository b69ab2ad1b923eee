package attempt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"golang.org/x/net/http/httpguts"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/postrider/postrider/internal/egress"
	"github.com/postrider/postrider/models"
)

// longestToken is the longest header that is sent: servers take few that are longer.
const longestToken = 16 << 10

// fetchToken gets a token from a webhook's token endpoint, past the guard as every request. A token endpoint that refuses,
// or does not answer in time, is an authError.
func (m *Maker) fetchToken(ctx context.Context, by models.OAuth2, limit time.Duration) (token, error) {
	limit = limit.Round(time.Millisecond)
	if limit <= 0 {
		return token{}, &authError{message: "no access token came within the time limit"}
	}
	config := clientcredentials.Config{
		ClientID: by.ClientID, ClientSecret: by.ClientSecret, TokenURL: by.TokenURL, Scopes: by.Scopes, AuthStyle: oauth2.AuthStyleInHeader,
	}
	if by.AuthMethod == models.ClientSecretPost {
		config.AuthStyle = oauth2.AuthStyleInParams
	}
	if by.Audience != "" {
		config.EndpointParams = url.Values{"audience": {by.Audience}}
	}
	client := &http.Client{
		Transport:     tokenTransport{m.Sender, limit, m.UserAgent},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	fetched, err := config.Token(context.WithValue(ctx, oauth2.HTTPClient, client))
	if err != nil {
		return token{}, tokenFailure(by, err)
	}
	header := fetched.Type() + " " + fetched.AccessToken
	if len(header) > longestToken || !httpguts.ValidHeaderFieldValue(header) {
		return token{}, &authError{message: "the token endpoint's access token cannot be sent in a header"}
	}
	made := token{header: header}
	if !fetched.Expiry.IsZero() {
		life := time.Until(fetched.Expiry)
		now := m.Now()
		made.end, made.renew = now.Add(life), now.Add(life-min(renewBefore, life/10))
	}
	return made, nil
}

// errorCode is what an error code of OAuth 2.0 looks like. Anything else that a token endpoint says is not repeated.
var errorCode = regexp.MustCompile(`^[a-z_]{1,40}$`)

// tokenFailure words why there is no token. The errors underneath quote URLs and bodies, which may hold secrets.
func tokenFailure(by models.OAuth2, err error) error {
	host := "the token endpoint"
	if target, parseErr := url.Parse(by.TokenURL); parseErr == nil {
		host += " " + target.Host
	}
	var refusal *egress.Error
	var answer *oauth2.RetrieveError
	switch {
	case errors.As(err, &refusal):
		failed := &authError{message: "no access token from " + host + ": " + refusal.Message}
		if refusal.Detail != "" {
			failed.detail = "token endpoint: " + refusal.Detail
		}
		return failed
	case errors.As(err, &answer) && answer.Response != nil:
		said := fmt.Sprintf("no access token: %s answered %d", host, answer.Response.StatusCode)
		if errorCode.MatchString(answer.ErrorCode) {
			said += " (" + answer.ErrorCode + ")"
		}
		return &authError{message: said}
	case errors.Is(err, egress.ErrOwnHost), errors.Is(err, egress.ErrProxy), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return errors.New("no access token: this host, its proxy or a stop of the process is in the way")
	}
	return &authError{message: "no access token: " + host + " did not answer with one"}
}

// tokenTransport sends the requests for tokens.
type tokenTransport struct {
	sender    Sender
	limit     time.Duration
	userAgent string
}

// RoundTrip makes one request.
func (t tokenTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	request = request.Clone(request.Context())
	request.Header.Set("User-Agent", t.userAgent)
	result, err := t.sender.Do(request, egress.Options{Keep: egress.MaxResponseBody, Timeout: t.limit})
	if err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: result.StatusCode, Status: http.StatusText(result.StatusCode), Header: result.Header, Request: request,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Body: io.NopCloser(bytes.NewReader(result.Body)), ContentLength: int64(len(result.Body)),
	}, nil
}
