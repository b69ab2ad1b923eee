package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/postrider/postrider/internal/egress"
)

const slackUserAgent = "Postrider"

// Slack posts notices to incoming webhooks of Slack and of services that take
// the same messages (Mattermost, Discord with /slack). It is safe for concurrent
// use.
type Slack struct {
	client *egress.Client
}

// NewSlack makes the Slack channel. The URLs are the owners', so requests go
// through the guarded client.
func NewSlack(client *egress.Client) *Slack { return &Slack{client: client} }

// Send posts the notice to the incoming webhook whose URL is to. Slack cannot
// recognise a message that comes twice, so the notice's key has no effect. For
// the kinds of errors see the package comment; none of them holds the URL, which
// is a secret.
func (s *Slack) Send(ctx context.Context, to string, notice Notice) error {
	body, err := slackMessage(newView(notice))
	if err != nil {
		return fmt.Errorf("notify: post to Slack: %w", err)
	}
	req, err := egress.NewRequest(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("notify: post to Slack: %w: %w", ErrPermanent, err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", slackUserAgent)
	result, err := s.client.Send(req, 0)
	if err := postError(result, err); err != nil {
		return fmt.Errorf("notify: post to Slack: %w", err)
	}
	return nil
}

// postError tells the kinds of failures apart. A status code decides the matter,
// even when the rest of the answer got lost.
func postError(result egress.Result, err error) error {
	var failure *egress.Error
	switch code := result.StatusCode; {
	case code >= 200 && code <= 299:
		return nil
	case code == http.StatusForbidden || code == http.StatusNotFound || code == http.StatusGone:
		return fmt.Errorf("%w: HTTP %d", ErrPermanent, code)
	case code != 0:
		return fmt.Errorf("HTTP %d", code)
	case errors.As(err, &failure) && failure.Class == egress.ClassBlocked:
		// Administrators set these URLs, so they are told why.
		return fmt.Errorf("%w: %w (%s)", ErrPermanent, err, failure.Reason())
	case result.Sent:
		return fmt.Errorf("%w: %w", ErrMaybeSent, err)
	}
	return err
}
