package e2e

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestCreationsAreMadeOnce creates webhooks for an owner that is named by the publisher's own ID, each again and again with
// one Idempotency-Key until there is an answer, while the process is killed. Each is there once, and its answer, with the
// secret, stays the same.
func TestCreationsAreMadeOnce(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, p *installation) {
		const rounds, together = 3, 4
		p.call(t, http.MethodPut, "/api/owners/customer-42", object{"name": "acme"}, http.StatusCreated, nil)
		create := func(key string) (string, bool) {
			body := object{"url": "http://127.0.0.1:9/" + key, "events": []string{"*"}, "owner_id": "customer-42"}
			status, answer, err := p.ask(t, http.MethodPost, "/api/webhooks", body, http.Header{"Idempotency-Key": {key}})
			return string(answer), err == nil && status == http.StatusCreated
		}
		answers := map[string]string{}
		for round := range rounds {
			var mu sync.Mutex
			var group sync.WaitGroup
			begun := make(chan struct{}, together)
			for i := range together {
				key := fmt.Sprintf("%d-%d", round, i)
				group.Go(func() {
					answer, made := create(key)
					begun <- struct{}{}
					eventually(t, func() bool {
						if !made {
							answer, made = create(key)
						}
						return made
					}, "%s is not answered", key)
					mu.Lock()
					defer mu.Unlock()
					answers[key] = answer
				})
			}
			<-begun
			p.killPostrider()
			p.start(t)
			group.Wait()
		}
		require.Len(t, answers, rounds*together)
		for key, answer := range answers {
			again, made := create(key)
			require.True(t, made)
			require.Equal(t, answer, again)
			require.Contains(t, answer, "whsec_")
		}
		var list struct{ Data []object }
		p.call(t, http.MethodGet, "/api/webhooks?owner_id=customer-42&limit=250", nil, http.StatusOK, &list)
		require.Len(t, list.Data, rounds*together)
	})
}
