package e2e

import (
	"testing"
)

// TestRunning tells the stories that need no restart, all on one installation, each with an owner of its own
// and none in another's way. The installation logs everything there is to log, sends mail to a server of the
// test, and is searched at the end for what it must not tell.
func TestRunning(t *testing.T) {
	t.Parallel()
	for _, deployment := range deployments {
		t.Run(deployment.name, func(t *testing.T) {
			t.Parallel()
			mail := newMailServer(t)
			p := deployment.prepare(t, "POSTRIDER_LOG_LEVEL=debug", "POSTRIDER_SMTP_URL=smtp://"+mail.address,
				"POSTRIDER_VALIDATE_EVENTS=true", "POSTRIDER_EVENT_TYPES_PAGE=true")
			p.start(t)
			t.Run("stories", func(t *testing.T) {
				for name, story := range map[string]func(*testing.T, *installation){
					"first delivery":                  firstDelivery,
					"retries":                         retries,
					"resend while waiting":            resendWhileWaiting,
					"resend after the end":            resendAfterEnd,
					"resend by Temporal alone":        resendByTemporalAlone,
					"cancel":                          cancelWhileWaiting,
					"webhook paused":                  webhookPaused,
					"webhook deleted":                 webhookDeleted,
					"receiver is gone for good":       receiverGone,
					"exhausted":                       exhausted,
					"an endpoint that cannot be used": privateTarget,
					"overloaded receiver":             overloadedReceiver,
					"rate limit raised":               rateLimitRaised,
					"URL changed":                     urlChanged,
					"cancel, then resend":             cancelThenResend,
					"to be delivered later":           deliverLater,
					"order switched on and off":       orderSwitched,
					"queue held":                      queueHeld,
					"queue resent":                    queueResent,
					"queue paused":                    queuePaused,
					"queue recovered":                 queueRecovered,
					"published together":              publishedTogether,
					"published to some webhooks":      publishedToSome,
					"erased":                          erased,
					"filtered and transformed":        filteredAndTransformed,
					"catalogue":                       catalogued,
					"sent in every format":            sentAs,
					"signed in":                       signedIn,
					"client certificate":              clientKnown,
					"signed with a key pair":          signedWithKeyPair,
				} {
					t.Run(name, func(t *testing.T) {
						t.Parallel()
						story(t, p)
					})
				}
				t.Run("owner is told", func(t *testing.T) {
					t.Parallel()
					ownerIsTold(t, p, mail)
				})
				t.Run("what is private", func(t *testing.T) {
					t.Parallel()
					nothingPrivateTold(t, p, mail)
				})
			})
			keysNotLogged(t, p)
		})
	}
}
