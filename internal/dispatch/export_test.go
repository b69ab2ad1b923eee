package dispatch

import (
	"time"

	"github.com/postrider/postrider/internal/timing"
	"github.com/postrider/postrider/models"
)

// What the tests of this package speak of.
const (
	TestTimeout    = timing.TestWait
	TestsOfWebhook = testsOfWebhook
)

// TestLimit bounds the tests that a process has under way.
type TestLimit = testLimit

// Enter counts a test until leave is called.
func (t *testLimit) Enter(webhook models.Webhook, now time.Time) (leave func(), err error) {
	return t.enter(webhook, now)
}
