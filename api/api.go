// Package api is Postrider's REST API: a gin router whose operations are typed with huma, which derives validation, the
// OpenAPI document and the documentation page from the handlers' own types. It only speaks HTTP: what a call does is in
// internal/service. One file holds each resource; errors.go alone turns errors into HTTP.
package api

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"

	"github.com/postrider/postrider/internal/ratelimit"
	"github.com/postrider/postrider/internal/service"
)

// The largest body that a source receives, in bytes: the default, and the most that can be configured. GitHub sends the
// largest, of up to 25 MB.
const (
	DefaultMaxInboundBody = 5 << 20
	MostMaxInboundBody    = 25 << 20
)

// Check is one condition of readiness.
type Check struct {
	Name string
	// Run returns nil when the condition holds. Everyone sees its error.
	Run func(ctx context.Context) error
}

// Config is what the API is made of.
type Config struct {
	// Service does what is asked for.
	Service *service.Service
	// RateLimit is how many requests a second one key may make; 0 for no limit.
	RateLimit float64
	// RateBurst is how many it may make at once; what comes in two seconds when 0.
	RateBurst int
	// MaxInboundBody bounds what a source receives, in bytes; DefaultMaxInboundBody when 0.
	MaxInboundBody int64
	// TrustedProxies are the networks of the proxies whose X-Forwarded-For header is trusted.
	TrustedProxies []netip.Prefix
	// PublicURL is the API's base URL as its users see it.
	PublicURL string
	// Version of Postrider, for the OpenAPI document.
	Version string
	// WorkflowURL returns the page of a workflow in the Temporal Web UI, empty when that is not known. The
	// run ID may be empty: the latest run is meant. Nil for no links.
	WorkflowURL func(workflowID, runID string) string
	// ShowEventTypes shows the catalogue of event types to everyone.
	ShowEventTypes bool
	// Checks are what /readyz reports.
	Checks []Check
	// Metrics serves /metrics; nil for none.
	Metrics http.Handler
	// Now is the clock of rate limits; time.Now when nil.
	Now    func() time.Time
	Logger *slog.Logger
}

// server holds what the handlers share.
type server struct {
	Config
	// perKey limits requests; nil for no limit. perAddress limits failures to authenticate.
	perKey, perAddress *ratelimit.Limiter
	// catalogue is the page of event types; nil unless everyone may see it.
	catalogue *catalogue
	// reads are the answers under way.
	reads *reads
	// checks are what /readyz reports, each shared by all who ask.
	checks []*sharedCheck
}

func newServer(cfg Config) *server {
	s := &server{Config: cfg}
	for _, check := range cfg.Checks {
		s.checks = append(s.checks, &sharedCheck{Check: check})
	}
	return s
}

func (s *server) maxInboundBody() int64 {
	if s.MaxInboundBody == 0 {
		return DefaultMaxInboundBody
	}
	return s.MaxInboundBody
}

// New returns the handler of the whole API.
func New(cfg Config) http.Handler {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.WorkflowURL == nil {
		cfg.WorkflowURL = func(string, string) string { return "" }
	}
	s := newServer(cfg)
	s.perAddress, s.reads = ratelimit.New(failureRate, failureBurst, cfg.Now), newReads()
	if cfg.RateLimit > 0 {
		s.perKey = ratelimit.New(cfg.RateLimit, cfg.RateBurst, cfg.Now)
	}
	router := s.router()
	router.Use(assumeJSON, limitTime)
	open := humagin.New(router, s.openAPI())
	guarded := huma.NewGroup(open, "/api")
	guarded.UseMiddleware(s.authenticate(open), s.checkRole(open), s.noteForTrail, limitBody(open), s.checkParameters(open), s.boundReads(open), s.once(open))
	s.registerWebhooks(guarded)
	s.registerSecrets(guarded)
	s.registerFilters(guarded)
	s.registerEvents(guarded)
	s.registerDeliveries(guarded)
	s.registerAttempts(guarded)
	s.registerStats(guarded)
	s.registerRecoveries(guarded)
	s.registerOwners(guarded)
	s.registerKeys(guarded)
	s.registerPortal(guarded)
	s.registerPublicKeys(open)
	s.registerSources(guarded)
	s.registerInbound(guarded)
	s.registerAudit(guarded)
	s.registerEventTypes(guarded)
	s.registerReceive(router)
	registerDocs(router)
	s.registerCatalogue(router)
	return edge{router}
}

// NewHealth returns a handler of /healthz, /readyz and /metrics alone, for a process without the API.
func NewHealth(cfg Config) http.Handler {
	return edge{newServer(cfg).router()}
}

// router has what every request passes, the health routes, and the answers for paths and methods that are unknown.
func (s *server) router() *gin.Engine {
	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	router.HandleMethodNotAllowed = true
	router.ForwardedByClientIP = false   // gin would trust X-Forwarded-For from anyone; clientOf decides
	router.RedirectTrailingSlash = false // edge serves such paths
	router.Use(harden, limitTransfer, s.recover, s.logRequest)
	router.NoRoute(func(c *gin.Context) {
		writeProblem(c, newProblem(http.StatusNotFound, codeNotFound, "there is no "+shorten(c.Request.URL.Path, maxPathShown)+" here; /docs lists what is"))
	})
	router.NoMethod(func(c *gin.Context) {
		writeProblem(c, newProblem(http.StatusMethodNotAllowed, codeMethodNotAllowed, shorten(c.Request.Method, maxPathShown)+" is not possible here; /docs lists what is"))
	})
	s.registerHealth(router)
	return router
}

func (s *server) openAPI() huma.Config {
	cfg := huma.DefaultConfig("Postrider", s.Version)
	cfg.Info.Description = "Delivers webhooks and does not lose them: every delivery is a Temporal workflow."
	cfg.DocsPath = ""            // docs.go serves a page that works without internet
	cfg.SchemasPath = ""         // the document holds the schemas
	cfg.CreateHooks = nil        // no $schema member in requests and responses
	cfg.NoFormatFallback = false // an unknown Accept gets JSON
	cfg.RejectUnknownQueryParameters = true
	cfg.Formats = map[string]huma.Format{"application/json": jsonFormat, "json": jsonFormat}
	cfg.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"key": {Type: "http", Scheme: "bearer", Description: "An API key, of an owner or of an administrator."},
	}
	cfg.Security = []map[string][]string{{"key": {}}}
	cfg.OnAddOperation = []huma.AddOpFunc{documentBodyErrors, documentCreation, refuseEmptyTexts}
	return cfg
}
