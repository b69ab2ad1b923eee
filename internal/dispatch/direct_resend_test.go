package dispatch

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/models"
)

// A resend that comes while this process makes the first attempt is made behind it, whatever comes of that.
func TestResendDuringADirectAttempt(t *testing.T) {
	t.Parallel()
	for name, delivered := range map[string]bool{"it succeeds": true, "it fails": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := &fakeTemporal{}
			d, store, _ := setup(t, fake)
			begun, answer := make(chan struct{}), make(chan struct{})
			d.AttemptWith(&receiver{deliver: func(models.Job) bool {
				close(begun)
				<-answer
				return delivered
			}}, true)
			makeWebhook(t, store)
			published, err := d.Publish(t.Context(), models.Event{Type: "order.paid", Data: []byte(`{}`), OwnerID: models.DefaultOwnerID})
			require.NoError(t, err)
			delivery := published.Deliveries[0]
			<-begun
			require.NoError(t, d.Resend(t.Context(), delivery, "key_x"))
			require.Empty(t, fake.ids(), "two attempts would meet at the receiver")
			close(answer)
			d.Close()
			resends := 0
			for _, call := range fake.started {
				require.Equal(t, delivery.ID, call.options.ID)
				if call.signal == contract.SignalResend {
					resends++
				}
			}
			require.Equal(t, 1, resends)
		})
	}
}
