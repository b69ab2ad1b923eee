package typeid_test

import (
	"math/big"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

func TestNewIDHoldsAUUIDv7(t *testing.T) {
	t.Parallel()
	for _, at := range []time.Time{
		time.UnixMilli(0), time.UnixMilli(1), time.Date(2026, 2, 3, 4, 5, 6, 789_999_999, time.UTC),
		time.Date(2026, 2, 3, 4, 5, 6, 0, time.FixedZone("", -7*3600)), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
	} {
		seen := map[string]bool{}
		for range 200 {
			id := typeid.New(typeid.KindEvent, at)
			requireUUIDv7(t, typeid.KindEvent, id, at)
			require.False(t, seen[id])
			seen[id] = true
		}
	}
}

// The example of RFC 9562, appendix A.6: its time in one of ours gives its first 48 bits.
func TestIDEncodesTheTimeOfTheRFCsExample(t *testing.T) {
	t.Parallel()
	at := time.Date(2022, 2, 22, 19, 22, 22, 0, time.UTC)
	got := uuidOf(t, typeid.KindWebhook, typeid.New(typeid.KindWebhook, at))
	require.Equal(t, "017f22e2-79b0-7", got.String()[:15])
}

func TestIDsSortByTheirTime(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 12, 31, 23, 59, 59, 0, time.UTC)
	var made []string
	for range 500 {
		made = append(made, typeid.New(typeid.KindDelivery, at))
		at = at.Add(37 * time.Microsecond)
	}
	require.True(t, slices.IsSorted(made))
}

// RFC 9562, section 6.2, method 3: the 12 bits behind the version hold the fraction of the millisecond.
func TestIDHoldsTheFractionOfTheMillisecond(t *testing.T) {
	t.Parallel()
	for fraction, bits := range map[time.Duration]string{
		0: "7000", time.Microsecond: "7004", 500 * time.Microsecond: "7800", 999_999 * time.Nanosecond: "7fff",
	} {
		at := time.UnixMilli(1_700_000_000_000).Add(fraction)
		got := uuidOf(t, typeid.KindEvent, typeid.New(typeid.KindEvent, at)).String()
		require.Equal(t, bits, got[14:18], fraction)
	}
}

func TestDeliveriesOfOneEventHaveValidIDs(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		kept := storetest.New(t, db, store.Config{})
		for range 40 {
			webhook := models.Webhook{OwnerID: models.DefaultOwnerID, URL: "https://example.com/hook", Events: []string{"*"}, Active: true}
			require.NoError(t, kept.CreateWebhook(t.Context(), &webhook, "whsec_x"))
		}
		for range 3 {
			published, err := kept.Publish(t.Context(), models.Event{Type: "a", Data: []byte(`{}`)})
			require.NoError(t, err)
			require.Len(t, published.Deliveries, 40)
			for _, delivery := range published.Deliveries {
				requireUUIDv7(t, typeid.KindDelivery, delivery.ID, published.Event.CreatedAt)
			}
		}
	})
}

func TestCheckID(t *testing.T) {
	t.Parallel()
	const digits = "01h455vb4pex5vsknk084sn02q"
	for _, test := range []struct {
		kind typeid.Kind
		id   string
		ok   bool
	}{
		{typeid.KindWebhook, "wh_" + digits, true},
		{typeid.KindWebhook, "wh_7zzzzzzzzzzzzzzzzzzzzzzzzz", true},
		{typeid.KindOwner, models.DefaultOwnerID, true},
		{typeid.KindWebhook, "wh_8zzzzzzzzzzzzzzzzzzzzzzzzz", false}, // more than 128 bits
		{typeid.KindWebhook, "evt_" + digits, false},
		{typeid.KindWebhook, "WH_" + digits, false},
		{typeid.KindWebhook, "wh_" + strings.ToUpper(digits), false},
		{typeid.KindWebhook, "wh" + digits, false},
		{typeid.KindWebhook, "wh__" + digits, false},
		{typeid.KindWebhook, digits, false},
		{typeid.KindWebhook, "wh_" + digits[1:], false},
		{typeid.KindWebhook, "wh_" + digits + "0", false},
		{typeid.KindWebhook, "wh_01h455vb4pex5vsknk084sn02l", false}, // l is not a digit
		{typeid.KindWebhook, "wh_01h455vb4peu5vsknk084sn02q", false}, // nor is u, in the middle
		{typeid.KindWebhook, "wh_01h455vb4pex5vsknk084sn0\x00q", false},
		{typeid.KindWebhook, "wh_01h455vb4pex5vsknk084sn0é", false},
		{typeid.KindWebhook, " wh_" + digits, false},
		{typeid.KindWebhook, "wh_", false},
		{typeid.KindWebhook, "", false},
	} {
		err := typeid.Check(test.kind, test.id)
		if test.ok {
			require.NoError(t, err, test.id)
			continue
		}
		require.ErrorIs(t, err, typeid.ErrMalformed, test.id)
		require.ErrorContains(t, err, string(test.kind)+"_")
	}
}

func FuzzCheckID(f *testing.F) {
	form := regexp.MustCompile(`\Adlv_[0-7][0-9a-hjkmnp-tv-z]{25}\z`)
	f.Add("dlv_01h455vb4pex5vsknk084sn02q")
	f.Add("dlv_81h455vb4pex5vsknk084sn02q")
	f.Add("dlv_")
	f.Fuzz(func(t *testing.T, id string) {
		require.Equal(t, form.MatchString(id), typeid.Check(typeid.KindDelivery, id) == nil)
	})
}

func FuzzNewIDIsValid(f *testing.F) {
	f.Add(int64(0))
	f.Add(int64(1770091506789))
	f.Add(int64(-1))
	f.Fuzz(func(t *testing.T, ms int64) {
		ms %= 1 << 48
		id := typeid.New(typeid.KindAttempt, time.UnixMilli(ms))
		requireUUIDv7(t, typeid.KindAttempt, id, time.UnixMilli(max(ms, 0)))
	})
}

// requireUUIDv7 decodes an ID without the code under test and checks it against RFC 9562, section 5.7.
func requireUUIDv7(t *testing.T, kind typeid.Kind, id string, at time.Time) {
	t.Helper()
	require.NoError(t, typeid.Check(kind, id))
	decoded := uuidOf(t, kind, id)
	require.EqualValues(t, 7, decoded.Version(), id)
	require.Equal(t, uuid.RFC4122, decoded.Variant(), id)
	ms := new(big.Int).SetBytes(decoded[:6]).Int64()
	require.Equal(t, at.UnixMilli(), ms, id)
}

// uuidOf decodes an ID digit by digit, as the TypeID specification says.
func uuidOf(t *testing.T, kind typeid.Kind, id string) uuid.UUID {
	t.Helper()
	digits, ok := strings.CutPrefix(id, string(kind)+"_")
	require.True(t, ok, id)
	require.Len(t, digits, 26)
	number := new(big.Int)
	for _, digit := range digits {
		value := strings.IndexRune("0123456789abcdefghjkmnpqrstvwxyz", digit)
		require.GreaterOrEqual(t, value, 0, id)
		number.Add(number.Lsh(number, 5), big.NewInt(int64(value)))
	}
	require.LessOrEqual(t, number.BitLen(), 128, id)
	decoded, err := uuid.FromBytes(number.FillBytes(make([]byte, 16)))
	require.NoError(t, err)
	return decoded
}
