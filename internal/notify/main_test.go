package notify

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var update = flag.Bool("update", false, "write the golden files anew")

// requireGolden compares with what a person has read and found good.
func requireGolden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

func sampleNotice() Exhausted {
	status := 503
	return Exhausted{
		About: About{
			Key:                "dlv_01jh2m8q3cf8r9x6v4tkq2wz5n-6",
			OwnerName:          "Ünal & Söhne",
			WebhookID:          "wh_01jh2m7z0e9a4t2d8c5n6p7q8r",
			WebhookURL:         "https://user:pass@hooks.example.com/in/orders?token=secret#part",
			WebhookDescription: "Orders <to> the warehouse",
			LastStatusCode:     &status,
			LastErrorClass:     "http_status",
			LastError:          "the receiver answered 503 Service Unavailable",
			APIURL:             "https://postrider.example.com/",
		},
		DeliveryID:     "dlv_01jh2m8q3cf8r9x6v4tkq2wz5n",
		EventID:        "evt_01jh2m8pzzf2b9k1m3n5q7s9t1",
		Event:          "order.created",
		Attempts:       6,
		FirstAttemptAt: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC),
		LastAttemptAt:  time.Date(2026, 3, 4, 18, 37, 7, 0, time.FixedZone("", 3600)),
		WorkflowURL:    "https://temporal.example.com/namespaces/default/workflows/dlv_01jh2m8q3cf8r9x6v4tkq2wz5n",
	}
}

// minimalNotice has only what is always there.
func minimalNotice() Exhausted {
	return Exhausted{
		About: About{
			WebhookID:      "wh_1",
			WebhookURL:     "http://127.0.0.1:9999",
			LastErrorClass: "connection_refused",
			LastError:      "connection refused by 127.0.0.1:9999",
		},
		DeliveryID: "dlv_1",
		Event:      "webhook.test",
		Attempts:   1,
	}
}

// goneNotice is about a receiver that answered 410.
func goneNotice() Exhausted {
	status := 410
	notice := sampleNotice()
	notice.Attempts, notice.LastAttemptAt = 1, notice.FirstAttemptAt
	notice.LastStatusCode, notice.LastError, notice.WebhookDisabled = &status, "", true
	return notice
}

// failingNotice is about a webhook whose deliveries have begun to be given up.
func failingNotice() Failing {
	about := sampleNotice().About
	about.Key = "wh_01jh2m7z0e9a4t2d8c5n6p7q8r-failing-7"
	success := time.Date(2026, 3, 4, 6, 0, 0, 0, time.FixedZone("", 3600))
	return Failing{
		About: about,
		Failures: Failures{
			FailingSince:     time.Date(2026, 3, 4, 6, 6, 7, 999_999_000, time.FixedZone("", 3600)),
			FailedDeliveries: 12,
			LastSuccessAt:    &success,
		},
		DisabledAt: time.Date(2026, 3, 9, 5, 6, 7, 0, time.UTC),
	}
}

// disabledNotice is about a webhook that went on failing.
func disabledNotice() Disabled {
	failing := failingNotice()
	notice := Disabled{About: failing.About, Failures: failing.Failures}
	notice.Key = "wh_01jh2m7z0e9a4t2d8c5n6p7q8r-disabled-7"
	notice.FailingSince = notice.FailingSince.AddDate(0, 0, -5)
	success := notice.LastSuccessAt.AddDate(0, 0, -5)
	notice.LastSuccessAt = &success
	notice.DisabledAt = time.Date(2026, 3, 4, 17, 37, 7, 0, time.UTC)
	notice.DisabledReason = "no delivery has succeeded for 5 days"
	return notice
}

// webhookGoneNotice is about a webhook that one answer, 410 Gone, has disabled.
func webhookGoneNotice() Disabled {
	status := 410
	notice := disabledNotice()
	notice.FailedDeliveries, notice.DisabledAt = 1, notice.FailingSince
	notice.DisabledReason, notice.LastError = "the receiver answered 410 Gone", "the receiver answered 410 Gone"
	notice.LastStatusCode = &status
	return notice
}

// minimalWebhook is what is always there in a notice of a webhook.
var minimalWebhook = About{WebhookID: "wh_1", WebhookURL: "http://127.0.0.1:9999"}

// goldenNotices are the notices that golden files show, by the ends of their names.
func goldenNotices() map[string]Notice {
	return map[string]Notice{
		"":                  sampleNotice(),
		"_minimal":          minimalNotice(),
		"_gone":             goneNotice(),
		"_failing":          failingNotice(),
		"_failing_minimal":  Failing{About: minimalWebhook},
		"_disabled":         disabledNotice(),
		"_disabled_gone":    webhookGoneNotice(),
		"_disabled_minimal": Disabled{About: minimalWebhook},
	}
}

// hostileNotices hold the text wherever users, receivers or settings can write.
func hostileNotices(text string) []Notice {
	hostile := func(about *About) {
		about.Key, about.OwnerName, about.WebhookID, about.WebhookDescription = text, text, text, text
		about.LastErrorClass, about.LastError, about.LastStatusCode = text, text, nil
		about.WebhookURL = "https://host.example/" + text
		about.APIURL = "https://api.example/" + text
	}
	exhausted, failing, disabled := sampleNotice(), failingNotice(), disabledNotice()
	hostile(&exhausted.About)
	hostile(&failing.About)
	hostile(&disabled.About)
	exhausted.DeliveryID, exhausted.EventID, exhausted.Event = text, text, text
	exhausted.WorkflowURL = "javascript:" + text
	disabled.DisabledReason = "because: " + text
	return []Notice{exhausted, failing, disabled}
}
