package api

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
)

// checkTimeout bounds each condition of readiness.
const checkTimeout = 3 * time.Second

// checkShared is how long an outcome is valid. Anyone may ask, and what is checked must not suffer from it.
const checkShared = time.Second

// sharedCheck runs a condition once for all requests of the same second.
type sharedCheck struct {
	Check

	mu   sync.Mutex
	last *checkRun
}

// checkRun is one run of a condition.
type checkRun struct {
	// ended is closed when the outcome is known; it is valid until over.
	ended   chan struct{}
	outcome string
	over    time.Time
}

// outcome returns ok, or why the condition does not hold.
func (c *sharedCheck) outcome(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout+checkShared) // for a condition that ignores its own timeout
	defer cancel()
	run := c.run(ctx)
	select {
	case <-run.ended:
		return run.outcome
	case <-ctx.Done():
		return "was not waited for"
	}
}

// run returns the run that is under way or still valid, or begins one. It belongs to no request: a client that hangs up
// does not end it for the others.
func (c *sharedCheck) run(ctx context.Context) *checkRun {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last != nil {
		select {
		case <-c.last.ended:
			if time.Now().Before(c.last.over) {
				return c.last
			}
		default:
			return c.last
		}
	}
	run := &checkRun{ended: make(chan struct{}), outcome: "ok"}
	c.last = run
	go func() {
		defer close(run.ended)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), checkTimeout)
		defer cancel()
		if err := c.Run(ctx); err != nil {
			run.outcome = err.Error()
		}
		run.over = time.Now().Add(checkShared)
	}()
	return run
}

// registerHealth adds the routes for operators, which need no key.
func (s *server) registerHealth(router *gin.Engine) {
	router.GET("/healthz", func(c *gin.Context) {
		c.JSON(http.StatusOK, gin.H{"status": "ok"})
	})
	router.GET("/readyz", func(c *gin.Context) { ready(c, s.checks) })
	for i, check := range s.checks {
		router.GET("/readyz/"+check.Name, func(c *gin.Context) { ready(c, s.checks[i:i+1]) })
	}
	if s.Metrics != nil {
		router.GET("/metrics", gin.WrapH(s.Metrics))
	}
}

// ready says whether conditions hold, each by its name.
func ready(c *gin.Context, conditions []*sharedCheck) {
	outcomes := make([]string, len(conditions))
	var all sync.WaitGroup
	for i, condition := range conditions {
		all.Go(func() { outcomes[i] = condition.outcome(c.Request.Context()) })
	}
	all.Wait()
	status, code := "ok", http.StatusOK
	checks := make(map[string]string, len(conditions))
	for i, condition := range conditions {
		checks[condition.Name] = outcomes[i]
		if outcomes[i] != "ok" {
			status, code = "unavailable", http.StatusServiceUnavailable
		}
	}
	c.JSON(code, gin.H{"status": status, "checks": checks})
}
