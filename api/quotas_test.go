package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// Owners' keys make no more than the limit, however many ask at once; administrators may.
func TestQuotasOfWhatOwnersMake(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		s := newServiceOn(t, db, func(cfg *config) { cfg.Service.Quotas = service.Quotas{Webhooks: 3, Sources: 2} })
		id, key := s.owner("a")
		for path, of := range map[string]struct {
			body  string
			limit int
		}{
			"/api/webhooks": {`{"url":"https://example.com","events":["a"]}`, 3},
			"/api/sources":  {bodies["create-source"], 2},
		} {
			var mu sync.Mutex
			var all sync.WaitGroup
			statuses := map[int]int{}
			for range 12 {
				all.Go(func() {
					reply := s.call(key, "POST", path, of.body)
					mu.Lock()
					defer mu.Unlock()
					statuses[reply.status]++
				})
			}
			all.Wait()
			require.Equal(t, map[int]int{http.StatusCreated: of.limit, http.StatusConflict: 12 - of.limit}, statuses, path)
			problem := s.call(key, "POST", path, of.body).problem(http.StatusConflict, "quota_exceeded")
			require.Contains(t, problem.Detail, fmt.Sprint(of.limit))
			items, _ := s.call(key, "GET", path, "").is(http.StatusOK).list()
			require.Len(t, items, of.limit)
			s.admin(http.StatusCreated, "POST", path, strings.Replace(of.body, "{", `{"owner_id":"`+id+`",`, 1))
			for _, item := range append(items[:1:1], items[1]) {
				s.call(key, "DELETE", path+"/"+text(t, item, "id"), "").is(http.StatusNoContent)
			}
			s.call(key, "POST", path, of.body).is(http.StatusCreated)
		}
		for range models.MaxOwnerKeys - 1 {
			_, _, err := s.store.CreateAPIKey(t.Context(), id, models.RoleFull, nil)
			require.NoError(t, err)
		}
		s.call(adminKey, "POST", "/api/owners/"+id+"/keys", "").problem(http.StatusConflict, "quota_exceeded")
	})
}

func TestQuotasOfPublishing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		s := newServiceOn(t, db, func(cfg *config) { cfg.Service.Quotas = service.Quotas{EventsPerSecond: 0.001, StoredBytes: 0} })
		id, key := s.owner("a")
		_, other := s.owner("b")
		const event = `{"event":"a","data":{"n":1}}`
		s.call(key, "POST", "/api/events", event).is(http.StatusAccepted)
		reply := s.call(key, "POST", "/api/events", event)
		require.Contains(t, reply.problem(http.StatusTooManyRequests, "quota_exceeded").Detail, "0.001 events a second")
		require.NotEmpty(t, reply.header.Get("Retry-After"))
		s.call(other, "POST", "/api/events", event).is(http.StatusAccepted)
		s.admin(http.StatusAccepted, "POST", "/api/events", `{"event":"a","data":{"n":1},"owner_id":"`+id+`"}`)
	})
}

func TestQuotaOfStoredBytes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		s := newServiceOn(t, db, func(cfg *config) { cfg.Service.Quotas = service.Quotas{StoredBytes: 20} })
		id, key := s.owner("a")
		_, other := s.owner("b")
		const event = `{"event":"a","data":{"n":1}}` // 7 bytes
		s.admin(http.StatusAccepted, "POST", "/api/events", `{"event":"a","data":{"n":1},"owner_id":"`+id+`"}`)
		s.call(key, "POST", "/api/events", event).is(http.StatusAccepted)
		problem := s.call(key, "POST", "/api/events", event).problem(http.StatusConflict, "quota_exceeded")
		require.Contains(t, problem.Detail, "20 bytes")
		s.call(other, "POST", "/api/events", event).is(http.StatusAccepted)
		s.admin(http.StatusAccepted, "POST", "/api/events", `{"event":"a","data":{"n":1},"owner_id":"`+id+`"}`)
	})
}
