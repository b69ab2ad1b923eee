package store_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// attemptsRig has attempts of two owners, begun a millisecond after each other but for the last two, which began at once.
type attemptsRig struct {
	store    *store.Store
	owners   []models.Owner
	webhooks []models.Webhook
	attempts []models.Attempt
}

func newAttemptsRig(t *testing.T, db *gorm.DB) *attemptsRig {
	t.Helper()
	s, clock := clockedStore(t, db)
	r := &attemptsRig{store: s, owners: []models.Owner{storetest.Owner(t, s, "a"), storetest.Owner(t, s, "b")}}
	for _, owner := range []models.Owner{r.owners[0], r.owners[0], r.owners[1]} {
		r.webhooks = append(r.webhooks, makeWebhook(t, s, owner.ID, "*"))
	}
	deliveries := storetest.Publish(t, s, models.Event{Type: "a", Data: []byte(`{}`), Broadcast: true}).Deliveries
	slices.SortFunc(deliveries, func(a, b models.Delivery) int {
		at := func(d models.Delivery) int {
			return slices.IndexFunc(r.webhooks, func(w models.Webhook) bool { return w.ID == d.WebhookID })
		}
		return at(a) - at(b)
	})
	for i, of := range []int{0, 1, 2, 0, 1, 2, 0} {
		if i < 6 {
			clock.Advance(1001 * time.Microsecond)
		}
		status := models.StatusFailed
		if i > 3 {
			status = models.StatusDelivered
		}
		attempt := attempted(t, s, deliveries[of], i+1, status)
		attempt.WebhookID = deliveries[of].WebhookID
		r.attempts = append(r.attempts, attempt)
	}
	return r
}

// list returns the positions of the attempts that a filter finds, page by page, forth or back again.
func (r *attemptsRig) list(t *testing.T, scope models.Scope, filter models.AttemptFilter, page models.Page, back bool) (found []int) {
	t.Helper()
	var beside models.Cursors
	for {
		var attempts []models.Attempt
		var err error
		attempts, beside, err = r.store.AttemptsOf(t.Context(), scope, filter, page)
		require.NoError(t, err)
		var some []int
		for _, attempt := range attempts {
			at := slices.IndexFunc(r.attempts, func(a models.Attempt) bool { return a.ID == attempt.ID })
			require.Equal(t, r.attempts[at].WebhookID, attempt.WebhookID)
			require.Equal(t, "a", attempt.Event)
			require.Equal(t, filter.ResponseBody, attempt.ResponseBody != nil)
			some = append(some, at)
		}
		found = append(found, some...)
		if page.Cursor = beside.Next; page.Cursor == "" {
			break
		}
	}
	for back && beside.Prev != "" {
		page.Cursor = beside.Prev
		attempts, before, err := r.store.AttemptsOf(t.Context(), scope, filter, page)
		require.NoError(t, err)
		beside = before
		require.Len(t, attempts, page.Limit)
		at := slices.IndexFunc(r.attempts, func(a models.Attempt) bool { return a.ID == attempts[0].ID })
		require.Contains(t, found, at)
	}
	return found
}

func TestAttemptsOfAllDeliveries(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		r := newAttemptsRig(t, db)
		first, second, other := r.webhooks[0].ID, r.webhooks[1].ID, r.webhooks[2].ID
		last := []int{5, 6}
		if r.attempts[6].ID > r.attempts[5].ID {
			last = []int{6, 5}
		}
		all := append(slices.Clone(last), 4, 3, 2, 1, 0)
		only := func(of ...int) []int {
			return slices.DeleteFunc(slices.Clone(all), func(i int) bool { return !slices.Contains(of, i) })
		}
		for name, test := range map[string]struct {
			filter models.AttemptFilter
			want   []int
		}{
			"none":               {models.AttemptFilter{}, all},
			"webhook":            {models.AttemptFilter{WebhookIDs: []string{first}}, only(0, 3, 6)},
			"webhooks":           {models.AttemptFilter{WebhookIDs: []string{first, other}}, only(0, 2, 3, 5, 6)},
			"owner":              {models.AttemptFilter{OwnerIDs: []string{r.owners[0].ID}}, only(0, 1, 3, 4, 6)},
			"owner and webhook":  {models.AttemptFilter{OwnerIDs: []string{r.owners[1].ID}, WebhookIDs: []string{second}}, nil},
			"failed":             {models.AttemptFilter{Statuses: []models.AttemptStatus{models.AttemptFailed}}, only(0, 1, 2, 3)},
			"succeeded":          {models.AttemptFilter{Statuses: []models.AttemptStatus{models.AttemptSucceeded}}, only(4, 5, 6)},
			"both":               {models.AttemptFilter{Statuses: []models.AttemptStatus{models.AttemptSucceeded, models.AttemptFailed}}, all},
			"class":              {models.AttemptFilter{ErrorClasses: []models.ErrorClass{models.ErrorTLS, models.ErrorHTTPStatus}}, only(0, 1, 2, 3)},
			"other class":        {models.AttemptFilter{ErrorClasses: []models.ErrorClass{models.ErrorTLS}}, nil},
			"succeeded in a way": {models.AttemptFilter{Statuses: []models.AttemptStatus{models.AttemptSucceeded}, ErrorClasses: models.ErrorClasses()}, nil},
			"since":              {models.AttemptFilter{Since: r.attempts[3].StartedAt}, only(3, 4, 5, 6)},
			"since, exactly":     {models.AttemptFilter{Since: r.attempts[3].StartedAt.Add(time.Microsecond)}, only(4, 5, 6)},
			"until":              {models.AttemptFilter{Until: r.attempts[3].StartedAt}, only(0, 1, 2)},
			"bodies":             {models.AttemptFilter{AttemptContents: models.AttemptContents{ResponseBody: true}}, all},
		} {
			require.Equal(t, test.want, r.list(t, everything, test.filter, models.Page{Limit: 2}, true), name)
			reversed := slices.Clone(test.want)
			slices.Reverse(reversed)
			require.Equal(t, reversed, r.list(t, everything, test.filter, models.Page{Limit: 2, OldestFirst: true}, true), name)
		}
		require.Equal(t, only(2, 5), r.list(t, models.Scope{OwnerID: r.owners[1].ID}, models.AttemptFilter{}, models.Page{}, false))
		require.Empty(t, r.list(t, models.Scope{OwnerID: r.owners[1].ID}, models.AttemptFilter{WebhookIDs: []string{first}}, models.Page{}, false))
		require.Empty(t, r.list(t, models.Scope{OwnerID: r.owners[1].ID}, models.AttemptFilter{OwnerIDs: []string{r.owners[0].ID}}, models.Page{}, false))
	})
}

// Two IDs may end in the same digits: the one must not see the other's attempts.
func TestKeysOfTheLogAreNotTrusted(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		r := newAttemptsRig(t, db)
		mine := models.LogKey(r.owners[0].ID)
		require.NoError(t, db.Exec("UPDATE attempts SET owner_key = ?, webhook_key = ?", mine, models.LogKey(r.webhooks[0].ID)).Error)
		require.Len(t, r.list(t, models.Scope{OwnerID: r.owners[0].ID}, models.AttemptFilter{}, models.Page{}, false), 5)
		require.Len(t, r.list(t, everything, models.AttemptFilter{WebhookIDs: []string{r.webhooks[0].ID}}, models.Page{}, false), 3)
		require.Len(t, r.list(t, everything, models.AttemptFilter{OwnerIDs: []string{r.owners[0].ID}}, models.Page{}, false), 5)
	})
}

func TestBadCursorsOfAttempts(t *testing.T) {
	onEach(t, func(t *testing.T, store *store.Store) {
		for _, text := range []string{"x", "@", "@1", "att_01m8gydf4ze000000000000000@", "att_01m8gydf4ze000000000000000@x", "dlv_01m8gydf4ze000000000000000@1",
			"att_01m8gydf4ze000000000000000@9223372036854775807", "att_01m8gydf4ze000000000000000@253402300800000000"} {
			_, _, err := store.AttemptsOf(t.Context(), everything, models.AttemptFilter{}, models.Page{Cursor: cursor(text)})
			require.ErrorIs(t, err, models.ErrBadCursor, text)
		}
	})
}

// Attempts are given up with, unless someone cancelled the delivery meanwhile; and whose they are is known, also of one
// that is recorded later.
func TestAttemptsSayWhatTheyEnded(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		s, _ := clockedStore(t, db)
		webhook := makeWebhook(t, s, models.DefaultOwnerID, "*")
		for _, cancelled := range []bool{false, true} {
			delivery := storetest.Publish(t, s, models.Event{Type: "a", Data: []byte(`{}`)}).Deliveries[0]
			if cancelled {
				require.NoError(t, s.CancelDelivery(t.Context(), delivery.ID, models.CauseRequest, "x"))
			}
			made := attempted(t, s, delivery, 1, models.StatusPermanentlyFailed)
			attempts, err := s.Attempts(t.Context(), delivery.ID)
			require.NoError(t, err)
			require.Equal(t, made.ID, attempts[0].ID)
			require.Equal(t, !cancelled, attempts[0].GaveUp != nil)
			require.Equal(t, models.LogKey(webhook.ID), attempts[0].WebhookKey)
			require.Equal(t, models.LogKey(models.DefaultOwnerID), attempts[0].OwnerKey)
		}
	})
}
