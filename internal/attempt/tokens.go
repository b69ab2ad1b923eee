package attempt

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"

	"github.com/postrider/postrider/models"
)

const (
	// mostTokens is how many webhooks' tokens a process keeps.
	mostTokens = 2000
	// renewBefore is how long before its end a token is renewed, or a tenth of its life where that is shorter. A renewal
	// that does not come within renewLimit leaves the old token in use.
	renewBefore = time.Minute
	renewLimit  = 5 * time.Second
)

// token is the value of the header Authorization, and when it is renewed and ends; it has no end when that is not known.
type token struct {
	header     string
	renew, end time.Time
}

// fetchToken gets a token within a time.
type fetchToken func(ctx context.Context, limit time.Duration) (token, error)

// tokens keep the access tokens of this process. The zero value has none.
type tokens struct {
	once    sync.Once
	kept    *lru.Cache[[sha256.Size]byte, token]
	flights singleflight.Group
}

// tokenKey tells apart whose a token is and by what settings it came: other settings are another token.
func tokenKey(webhookID string, by models.OAuth2) [sha256.Size]byte {
	text, _ := json.Marshal(by) // texts always can be
	return sha256.Sum256(append([]byte(webhookID+"\x00"), text...))
}

func (t *tokens) cache() *lru.Cache[[sha256.Size]byte, token] {
	t.once.Do(func() { t.kept, _ = lru.New[[sha256.Size]byte, token](mostTokens) }) // it fails for sizes below 1 only
	return t.kept
}

// get returns a token other than the one that was refused, and whether it was fetched just now. Those who ask at the same
// time share one fetch.
func (t *tokens) get(ctx context.Context, key [sha256.Size]byte, refused string, now func() time.Time, limit time.Duration, fetch fetchToken) (header string, isNew bool, err error) {
	known, found := t.cache().Get(key)
	usable := found && known.header != refused && (known.end.IsZero() || now().Before(known.end))
	if usable && (known.renew.IsZero() || now().Before(known.renew)) {
		return known.header, false, nil
	}
	if usable {
		limit = min(limit, renewLimit)
	}
	fetched, err := t.fetch(ctx, key, limit, fetch)
	var failed *authError
	if usable && errors.As(err, &failed) {
		return known.header, false, nil
	}
	return fetched.header, true, err
}

// fetch gets a new token, or waits for one that is being fetched. It goes on when who asked first gives up: others wait.
func (t *tokens) fetch(ctx context.Context, key [sha256.Size]byte, limit time.Duration, fetch fetchToken) (token, error) {
	waiting := t.flights.DoChan(string(key[:]), func() (any, error) {
		fetched, err := fetch(context.WithoutCancel(ctx), limit)
		if err == nil {
			t.cache().Add(key, fetched)
		}
		return fetched, err
	})
	patience := time.NewTimer(limit)
	defer patience.Stop()
	select {
	case result := <-waiting:
		fetched, _ := result.Val.(token)
		return fetched, result.Err
	case <-ctx.Done():
		return token{}, ctx.Err()
	case <-patience.C:
		return token{}, &authError{message: "no access token came within the time limit"}
	}
}

// drop forgets a token that was refused, unless there is a newer one.
func (t *tokens) drop(key [sha256.Size]byte, header string) {
	if known, found := t.cache().Peek(key); found && known.header == header {
		t.cache().Remove(key)
	}
}
