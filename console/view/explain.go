package view

import (
	"context"

	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/models"
)

// explain says in sentences why a delivery is as it is, and what to do about it.
func explain(ctx context.Context, d models.Delivery, attempts []service.Attempt) Explanation {
	switch d.Status {
	case models.StatusDelivered:
		return Explanation{What: say(ctx, "The receiver took it.")}
	case models.StatusCancelled:
		return Explanation{What: say(ctx, "It was cancelled: %s.", d.CancelReason), Do: say(ctx, "Resend it to have it tried again.")}
	case models.StatusPending:
		if d.NextAttemptAt != nil {
			return Explanation{What: say(ctx, "It waits for its time."), Do: say(ctx, "Resend sends it at once.")}
		}
		return Explanation{What: say(ctx, "Its first attempt is about to be made, or under way.")}
	case models.StatusFailed, models.StatusPermanentlyFailed:
	}
	if len(attempts) == 0 {
		return Explanation{What: say(ctx, "No attempt is in the log any more.")}
	}
	last := attempts[len(attempts)-1]
	said := reason(ctx, last, d.Host)
	if d.Status == models.StatusPermanentlyFailed {
		said.Do += " " + say(ctx, "Then resend it: it is not tried again by itself.")
	}
	return said
}

// reason says why an attempt failed, and what to do.
func reason(ctx context.Context, a service.Attempt, host string) Explanation {
	switch a.ErrorClass {
	case models.ErrorDNS:
		return Explanation{What: say(ctx, "The name %s could not be resolved.", host), Do: say(ctx, "Check the webhook's URL and the name's DNS records.")}
	case models.ErrorConnectionRefused:
		return Explanation{What: say(ctx, "%s refused the connection: nothing listens there.", host), Do: say(ctx, "Start the receiver, or check the port in the webhook's URL.")}
	case models.ErrorConnectTimeout:
		return Explanation{What: say(ctx, "No connection to %s came about in time.", host), Do: say(ctx, "Check that a firewall lets Postrider's addresses through.")}
	case models.ErrorTimeout:
		return Explanation{What: say(ctx, "The receiver did not answer in time."), Do: say(ctx, "Have it answer at once and work afterwards, or raise the webhook's timeout.")}
	case models.ErrorTLS:
		return Explanation{What: say(ctx, "The receiver's certificate, or its TLS, is not acceptable."), Do: say(ctx, "Renew the certificate, with its intermediate ones, or give the webhook the CA that signed it.")}
	case models.ErrorReset:
		return Explanation{What: say(ctx, "The connection was cut before the whole answer came."), Do: say(ctx, "Look at the receiver's log, and at proxies before it.")}
	case models.ErrorBlocked:
		return Explanation{What: say(ctx, "Postrider may not send to this address."), Do: say(ctx, "An administrator can allow it with --allow-targets.")}
	case models.ErrorAuth:
		return Explanation{What: say(ctx, "No access token could be had."), Do: say(ctx, "Check the webhook's token URL, client ID and secret.")}
	case models.ErrorTransform:
		return Explanation{What: say(ctx, "The webhook's transformation failed on this event."), Do: say(ctx, "Try it with this event's data, and change it.")}
	case models.ErrorHTTPStatus:
		return statusReason(ctx, a)
	}
	return Explanation{What: a.Error}
}

// statusReason explains an answer that is not a success.
func statusReason(ctx context.Context, a service.Attempt) Explanation {
	code := 0
	if a.StatusCode != nil {
		code = *a.StatusCode
	}
	what := say(ctx, "The receiver answered %d.", code)
	switch {
	case code >= 300 && code < 400:
		return Explanation{What: what + " " + say(ctx, "Redirects are not followed."), Do: say(ctx, "Give the webhook the URL that the redirect leads to.")}
	case code == 401 || code == 403:
		return Explanation{What: what, Do: say(ctx, "Check the secret that the receiver verifies with, and the webhook's headers and credentials.")}
	case code == 404 || code == 405:
		return Explanation{What: what, Do: say(ctx, "Check the path of the webhook's URL, and that the receiver takes POST there.")}
	case code == 410:
		return Explanation{What: what + " " + say(ctx, "That ends the delivery and disables the webhook."), Do: say(ctx, "Switch the webhook on again if that was not meant.")}
	case code == 413:
		return Explanation{What: what + " " + say(ctx, "The body is too large for it."), Do: say(ctx, "Raise the receiver's limit, or send less.")}
	case code == 429 || code == 503:
		return Explanation{What: what + " " + say(ctx, "It has too much to do."), Do: say(ctx, "Give the webhook a rate limit.")}
	case code >= 500:
		return Explanation{What: what + " " + say(ctx, "It failed."), Do: say(ctx, "Look at the receiver's log at the time of the attempt.")}
	}
	return Explanation{What: what, Do: say(ctx, "Look at what it says below.")}
}
