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
