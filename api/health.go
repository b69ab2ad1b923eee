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

// registerHealth adds what operators ask for; none of it needs a key.
func (s *server) registerHealth(router *gin.Engine) {
	router.GET("/healthz", func(c *gin.Context) {
		c.JSON(http.StatusOK, gin.H{"status": "ok"})
	})
	router.GET("/readyz", func(c *gin.Context) { s.ready(c, s.Checks) })
	for i, check := range s.Checks {
		router.GET("/readyz/"+check.Name, func(c *gin.Context) { s.ready(c, s.Checks[i:i+1]) })
	}
	if s.Metrics != nil {
		router.GET("/metrics", gin.WrapH(s.Metrics))
	}
}

// ready says whether conditions hold, each by its name.
func (s *server) ready(c *gin.Context, conditions []Check) {
	ctx, cancel := context.WithTimeout(c.Request.Context(), checkTimeout)
	defer cancel()
	outcomes := make([]string, len(conditions))
	var all sync.WaitGroup
	for i, condition := range conditions {
		all.Go(func() {
			outcomes[i] = "ok"
			if err := condition.Run(ctx); err != nil {
				outcomes[i] = err.Error()
			}
		})
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
