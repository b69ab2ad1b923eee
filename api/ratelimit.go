package api

import (
	"fmt"
	"math"
	"net/http"
	"time"

	"github.com/postrider/postrider/internal/ratelimit"
)

// How often an address may fail to authenticate, at once and per second. People mistype a few times; a program with a wrong
// key has to wait.
const (
	failureBurst = 60
	failureRate  = 1
)

// quotaFields are the header fields of draft-ietf-httpapi-ratelimit-headers: the policy, which is the burst and the
// seconds in which it comes back, and what is left of it.
func quotaFields(limiter *ratelimit.Limiter, quota ratelimit.Quota) http.Header {
	return http.Header{
		"RateLimit-Policy": {fmt.Sprintf(`"key";q=%d;w=%d`, limiter.Burst(), seconds(limiter.Window()))},
		"RateLimit":        {fmt.Sprintf(`"key";r=%d;t=%d`, quota.Left, seconds(quota.Reset))},
	}
}

// seconds rounds up, so that who waits so long has waited long enough.
func seconds(d time.Duration) int64 { return int64(math.Ceil(d.Seconds())) }

// tooMany is a 429 that says when to come back.
func tooMany(code, detail string, wait time.Duration) *Problem {
	problem := newProblem(http.StatusTooManyRequests, code, detail)
	problem.retryAfter = max(1, seconds(wait))
	return problem
}
