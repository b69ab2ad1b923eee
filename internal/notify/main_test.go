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

func sampleNotice() Notice {
	status := 503
	return Notice{
		Key:                "dlv_01jh2m8q3cf8r9x6v4tkq2wz5n-6",
		OwnerName:          "Ünal & Söhne",
		WebhookID:          "wh_01jh2m7z0e9a4t2d8c5n6p7q8r",
		WebhookURL:         "https://user:pass@hooks.example.com/in/orders?token=secret#part",
		WebhookDescription: "Orders <to> the warehouse",
		DeliveryID:         "dlv_01jh2m8q3cf8r9x6v4tkq2wz5n",
		EventID:            "evt_01jh2m8pzzf2b9k1m3n5q7s9t1",
		Event:              "order.created",
		Attempts:           6,
		FirstAttemptAt:     time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC),
		LastAttemptAt:      time.Date(2026, 3, 4, 18, 37, 7, 0, time.FixedZone("", 3600)),
		LastStatusCode:     &status,
		LastErrorClass:     "http_status",
		LastError:          "the receiver answered 503 Service Unavailable",
		APIURL:             "https://postrider.example.com/",
		WorkflowURL:        "https://temporal.example.com/namespaces/default/workflows/dlv_01jh2m8q3cf8r9x6v4tkq2wz5n",
	}
}

// minimalNotice has only what is always there.
func minimalNotice() Notice {
	return Notice{
		WebhookID:      "wh_1",
		WebhookURL:     "http://127.0.0.1:9999",
		DeliveryID:     "dlv_1",
		Event:          "webhook.test",
		Attempts:       1,
		LastErrorClass: "connection_refused",
		LastError:      "connection refused by 127.0.0.1:9999",
	}
}

// goneNotice is about a receiver that answered 410.
func goneNotice() Notice {
	status := 410
	notice := sampleNotice()
	notice.Attempts, notice.LastAttemptAt = 1, notice.FirstAttemptAt
	notice.LastStatusCode, notice.LastError, notice.WebhookDisabled = &status, "", true
	return notice
}

// failingNotice is about a webhook whose deliveries have begun to be given up.
func failingNotice() Notice {
	sample := sampleNotice()
	success := time.Date(2026, 3, 4, 6, 0, 0, 0, time.FixedZone("", 3600))
	return Notice{
		Kind:               KindFailing,
		Key:                "wh_01jh2m7z0e9a4t2d8c5n6p7q8r-failing-7",
		OwnerName:          sample.OwnerName,
		WebhookID:          sample.WebhookID,
		WebhookURL:         sample.WebhookURL,
		WebhookDescription: sample.WebhookDescription,
		FailingSince:       time.Date(2026, 3, 4, 6, 6, 7, 999_999_000, time.FixedZone("", 3600)),
		FailedDeliveries:   12,
		LastSuccessAt:      &success,
		DisabledAt:         time.Date(2026, 3, 9, 5, 6, 7, 0, time.UTC),
		LastStatusCode:     sample.LastStatusCode,
		LastErrorClass:     sample.LastErrorClass,
		LastError:          sample.LastError,
		APIURL:             sample.APIURL,
	}
}

// disabledNotice is about a webhook that went on failing.
func disabledNotice() Notice {
	notice := failingNotice()
	notice.Kind, notice.Key = KindDisabled, "wh_01jh2m7z0e9a4t2d8c5n6p7q8r-disabled-7"
	notice.FailingSince = notice.FailingSince.AddDate(0, 0, -5)
	success := notice.LastSuccessAt.AddDate(0, 0, -5)
	notice.LastSuccessAt = &success
	notice.DisabledAt = time.Date(2026, 3, 4, 17, 37, 7, 0, time.UTC)
	notice.DisabledReason = "no delivery has succeeded for 5 days"
	return notice
}

// webhookGoneNotice is about a webhook that one answer, 410 Gone, has disabled.
func webhookGoneNotice() Notice {
	status := 410
	notice := disabledNotice()
	notice.FailedDeliveries, notice.DisabledAt = 1, notice.FailingSince
	notice.DisabledReason, notice.LastError = "the receiver answered 410 Gone", "the receiver answered 410 Gone"
	notice.LastStatusCode = &status
	return notice
}

// minimalWebhookNotice has only what is always there.
func minimalWebhookNotice(kind Kind) Notice {
	return Notice{Kind: kind, WebhookID: "wh_1", WebhookURL: "http://127.0.0.1:9999"}
}

// goldenNotices are the notices that golden files show, by the ends of their names.
func goldenNotices() map[string]Notice {
	return map[string]Notice{
		"":                  sampleNotice(),
		"_minimal":          minimalNotice(),
		"_gone":             goneNotice(),
		"_failing":          failingNotice(),
		"_failing_minimal":  minimalWebhookNotice(KindFailing),
		"_disabled":         disabledNotice(),
		"_disabled_gone":    webhookGoneNotice(),
		"_disabled_minimal": minimalWebhookNotice(KindDisabled),
	}
}

// hostileNotices hold the text wherever users, receivers or settings can write.
func hostileNotices(text string) []Notice {
	var notices []Notice
	for _, notice := range []Notice{sampleNotice(), failingNotice(), disabledNotice()} {
		notice.Key, notice.OwnerName, notice.WebhookID, notice.WebhookDescription = text, text, text, text
		notice.DeliveryID, notice.EventID, notice.Event = text, text, text
		notice.LastErrorClass, notice.LastError, notice.LastStatusCode = text, text, nil
		notice.DisabledReason = "because: " + text
		notice.WebhookURL = "https://host.example/" + text
		notice.APIURL, notice.WorkflowURL = "https://api.example/"+text, "javascript:"+text
		notices = append(notices, notice)
	}
	return notices
}
