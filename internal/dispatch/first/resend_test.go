package first_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/internal/dispatch/dispatchtest"
	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// A resend that comes while this process makes the first attempt is made behind it, whatever comes of that.
func TestResendDuringAFirstAttempt(t *testing.T) {
	t.Parallel()
	for name, delivered := range map[string]bool{"it succeeds": true, "it fails": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *gorm.DB) {
				fake, store := &dispatchtest.Temporal{}, storetest.New(t, db, store.Config{})
				begun, answer := make(chan struct{}), make(chan struct{})
				d := dispatchtest.NewAttempting(store, fake, &receiver{deliver: func(models.Job) bool {
					close(begun)
					<-answer
					return delivered
				}}, (&dispatchtest.Log{}).Logger())
				dispatchtest.CreateWebhook(t, store)
				published, err := d.Publish(t.Context(), models.Event{Type: "order.paid", Data: []byte(`{}`), OwnerID: models.DefaultOwnerID})
				require.NoError(t, err)
				delivery := published.Deliveries[0]
				<-begun
				require.NoError(t, d.Resend(t.Context(), delivery, "key_x"))
				require.Empty(t, fake.IDs(), "two attempts would meet at the receiver")
				close(answer)
				d.Close()
				resends := 0
				for _, call := range fake.Started {
					require.Equal(t, delivery.ID, call.Options.ID)
					if call.Signal == contract.SignalResend {
						resends++
					}
				}
				require.Equal(t, 1, resends)
			})
		})
	}
}
