package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/wneessen/go-mail"
)

// mailError tells the three kinds of failures apart.
//
// A message changes hands when the server answers the end of its text (RFC 5321,
// section 4.1.1.4). A failure before that, or an answer that says no, leaves it
// with us. A connection that ends while that answer is awaited leaves the
// question open: the library then reports a failed end of DATA without a reply
// code.
func mailError(ctx context.Context, err error, recipient string) error {
	detail := describeError(err, recipient)
	if ctx.Err() != nil {
		detail = fmt.Errorf("%w: %w", ctx.Err(), detail)
	}
	var failure *mail.SendError
	if !errors.As(err, &failure) {
		return detail
	}
	switch {
	case failure.Reason == mail.ErrSMTPDataClose && failure.ErrorCode() == 0:
		return fmt.Errorf("%w: %w", ErrMaybeSent, detail)
	case unknownRecipient(failure):
		return fmt.Errorf("%w: %w", ErrPermanent, detail)
	}
	return detail
}

// unknownRecipient reports whether the server said that there is no such mailbox
// or domain (RFC 5321, section 4.2.3; RFC 7504). The same codes with an enhanced
// code 5.7.x (RFC 3463) are about policy, which the operator can change.
func unknownRecipient(failure *mail.SendError) bool {
	if failure.Reason != mail.ErrSMTPRcptTo && failure.Reason != mail.ErrSMTPDataClose {
		return false
	}
	return slices.Contains([]int{550, 551, 553, 556}, failure.ErrorCode()) &&
		!strings.HasPrefix(failure.EnhancedStatusCode(), "5.7.")
}

// describeError keeps the server's words and drops the recipient, who has no
// place in logs and workflow histories. The library lists recipients at the end.
func describeError(err error, recipient string) error {
	text, _, _ := strings.Cut(err.Error(), ", affected ")
	return errors.New(clean(strings.ReplaceAll(text, recipient, "recipient"), maxError))
}
