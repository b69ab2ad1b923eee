// Package api is Postrider's REST API: a gin router whose operations are typed with huma, which derives
// validation, the OpenAPI document and the documentation page from the handlers' own types. One file holds
// each resource; errors.go alone turns errors into HTTP.
package api

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"

	"github.com/postrider/postrider/models"
)

// maxBody bounds a request body: 1 MiB.
const maxBody = 1 << 20

// Bounds of what a source receives, in bytes: unless configured otherwise, and whatever is configured. GitHub sends the
// largest, of up to 25 MB.
const (
	DefaultMaxInboundBody = 5 << 20
	MostMaxInboundBody    = 25 << 20
)

// Store is what the API needs of the database.
type Store interface {
	APIKeyByToken(ctx context.Context, token string) (models.APIKey, error)
	CreateAPIKeyUntil(ctx context.Context, ownerID string, expiresAt *time.Time) (models.APIKey, string, error)
	OwnerAPIKeys(ctx context.Context, ownerID string, page models.Page) ([]models.APIKey, string, error)
	RevokeAPIKey(ctx context.Context, id string) error
	RevokeAnyAPIKey(ctx context.Context, id string) error

	CreateOwner(ctx context.Context, owner *models.Owner) error
	Owner(ctx context.Context, id string) (models.Owner, error)
	Owners(ctx context.Context, page models.Page) ([]models.Owner, string, error)
	UpdateOwner(ctx context.Context, id string, change func(*models.Owner) error) (models.Owner, error)

	CreateWebhook(ctx context.Context, webhook *models.Webhook, secret string) error
	Webhook(ctx context.Context, scope models.Scope, id string) (models.Webhook, error)
	Webhooks(ctx context.Context, scope models.Scope, filter models.WebhookFilter, page models.Page) ([]models.Webhook, string, error)
	UpdateWebhook(ctx context.Context, scope models.Scope, id string, change func(*models.Webhook) error) (models.Webhook, error)
	DeleteWebhook(ctx context.Context, scope models.Scope, id string) error
	WebhookHealths(ctx context.Context, ids []string) (map[string]models.WebhookHealth, error)
	RotateSecret(ctx context.Context, scope models.Scope, id string, rotation models.Rotation) (models.Webhook, error)
	OpenHeaders(webhook models.Webhook) (models.Headers, error)

	Event(ctx context.Context, scope models.Scope, id string) (models.Event, error)
	Events(ctx context.Context, scope models.Scope, filter models.EventFilter, page models.Page) ([]models.Event, string, error)

	Delivery(ctx context.Context, scope models.Scope, id string) (models.Delivery, error)
	Deliveries(ctx context.Context, scope models.Scope, filter models.DeliveryFilter, page models.Page) ([]models.Delivery, string, error)
	Attempts(ctx context.Context, deliveryID string) ([]models.Attempt, error)
	AttemptsPage(ctx context.Context, filter models.AttemptFilter, page models.Page) ([]models.Attempt, string, error)

	CreateSource(ctx context.Context, source *models.Source, secrets []string) error
	Source(ctx context.Context, scope models.Scope, id string) (models.Source, error)
	SourceOf(ctx context.Context, inbound models.InboundEvent) (models.Source, error)
	Sources(ctx context.Context, scope models.Scope, page models.Page) ([]models.Source, string, error)
	SourceSecrets(source models.Source) ([]string, error)
	SourceVerifyToken(source models.Source) (string, error)
	UpdateSource(ctx context.Context, scope models.Scope, id string, change func(*models.Source) ([]string, error)) (models.Source, error)
	DeleteSource(ctx context.Context, scope models.Scope, id string) error
	RecordRejection(ctx context.Context, sourceID, reason, remoteAddr string) error
	Rejections(ctx context.Context, sourceID string) ([]models.Rejection, error)

	InboundEvent(ctx context.Context, scope models.Scope, id string) (models.InboundEvent, error)
	InboundEvents(ctx context.Context, scope models.Scope, filter models.InboundFilter, page models.Page) ([]models.InboundEvent, string, error)

	RecordAudit(ctx context.Context, entry *models.AuditEntry) error
	StoredBytes(ctx context.Context, ownerID string) (int64, error)
	RecordFailedSignIn(ctx context.Context, address string) error
	Audit(ctx context.Context, scope models.Scope, filter models.AuditFilter, page models.Page) ([]models.AuditEntry, string, error)

	RecoveryStore
}

// Dispatcher publishes events and steers their deliveries.
type Dispatcher interface {
	Publish(ctx context.Context, event models.Event) (models.Published, error)
	Test(ctx context.Context, webhook models.Webhook) (models.Delivery, error)
	Resend(ctx context.Context, delivery models.Delivery, requestedBy string) error
	Cancel(ctx context.Context, delivery models.Delivery) error
	WebhookChanged(before, now models.Webhook)
	Receive(ctx context.Context, inbound models.InboundEvent) (fresh bool, err error)
	Reprocess(ctx context.Context, inbound models.InboundEvent) error
	DeleteOwner(ctx context.Context, id string) (models.Owner, error)
	RecoveryDispatcher
}

// Check is one condition of readiness.
type Check struct {
	Name string
	// Run returns nil when the condition holds. Its error is shown to everyone.
	Run func(ctx context.Context) error
}

// Config is what the API is made of.
type Config struct {
	Store      Store
	Dispatcher Dispatcher
	// Targets judges the URLs and mail addresses that are given.
	Targets Targets
	// AdminKey is an administrator's key that is not in the database; empty for none.
	AdminKey string
	// KeyUsed is told of each use of a key of the store, and must not wait; nil for no one.
	KeyUsed func(id string)
	// Audited is told of each entry of the trail, for metrics; nil for no one.
	Audited func(ctx context.Context, action string)
	// Quotas limit what owners have.
	Quotas Quotas
	// RateLimit is how many requests a second one key may make; 0 for as many as it likes.
	RateLimit float64
	// RateBurst is how many it may make at once; what comes in two seconds when 0.
	RateBurst int
	// MaxInboundBody bounds what a source receives, in bytes; DefaultMaxInboundBody when 0.
	MaxInboundBody int64
	// TrustedProxies are whose X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix
	// PublicURL is the API's base URL as its users see it.
	PublicURL string
	// Version of Postrider, for the OpenAPI document.
	Version string
	// WorkflowURL returns the page of a workflow in the Temporal Web UI, empty when that is not known. The
	// run ID may be empty: the latest run is meant.
	WorkflowURL func(workflowID, runID string) string
	// Checks are what /readyz reports.
	Checks []Check
	// Metrics serves /metrics; nil for none.
	Metrics http.Handler
	// Now is the clock of signed timestamps and of rate limits; time.Now when nil.
	Now    func() time.Time
	Logger *slog.Logger
}

// server holds what the handlers share.
type server struct {
	Config
	adminKeyHash []byte
	// perKey limits requests; nil for no limit. perAddress limits failures to authenticate.
	perKey, perAddress *limiter
	// perOwner limits published events; nil for no limit. sums has a storedSum by owner.
	perOwner *limiter
	sums     sync.Map
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
	s := newServer(cfg)
	s.perKey, s.perAddress, s.reads = cfg.keyLimiter(), newLimiter(failureRate, failureBurst, cfg.Now), newReads()
	s.perOwner = cfg.ownerLimiter()
	if cfg.AdminKey != "" {
		s.adminKeyHash = models.HashAPIKey(cfg.AdminKey)
	}
	router := s.router()
	router.Use(assumeJSON, limitTime)
	open := humagin.New(router, s.openAPI())
	guarded := huma.NewGroup(open, "/api")
	guarded.UseMiddleware(s.authenticate(open), s.audit, limitBody(open), s.checkParameters(open), s.boundReads(open))
	s.registerWebhooks(guarded)
	s.registerSecrets(guarded)
	s.registerEvents(guarded)
	s.registerDeliveries(guarded)
	s.registerRecoveries(guarded)
	s.registerOwners(guarded)
	s.registerKeys(guarded)
	s.registerSources(guarded)
	s.registerInbound(guarded)
	s.registerAudit(guarded)
	s.registerReceive(router)
	registerDocs(router)
	return edge{router}
}

// NewHealth returns a handler of /healthz, /readyz and /metrics alone, for a process without the API.
func NewHealth(cfg Config) http.Handler {
	return edge{newServer(cfg).router()}
}

// router answers what no other part of the API does.
func (s *server) router() *gin.Engine {
	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	router.HandleMethodNotAllowed = true
	router.ForwardedByClientIP = false   // gin would believe everyone's X-Forwarded-For; client.go decides
	router.RedirectTrailingSlash = false // edge serves it
	router.Use(harden, bePatient, s.recover, s.logRequest)
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
	cfg.Transformers = append(cfg.Transformers, s.auditAnswer)
	cfg.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"key": {Type: "http", Scheme: "bearer", Description: "An API key, of an owner or of an administrator."},
	}
	cfg.Security = []map[string][]string{{"key": {}}}
	cfg.OnAddOperation = []huma.AddOpFunc{documentBodyErrors, refuseEmptyTexts}
	return cfg
}

// documentBodyErrors lists what every operation with a body can answer: that it is not JSON, comes too slowly, or is
// too large.
func documentBodyErrors(_ *huma.OpenAPI, op *huma.Operation) {
	if op.RequestBody == nil {
		return
	}
	for _, status := range []int{http.StatusBadRequest, http.StatusRequestTimeout, http.StatusRequestEntityTooLarge} {
		response := *op.Responses[strconv.Itoa(http.StatusUnprocessableEntity)]
		response.Description = http.StatusText(status)
		op.Responses[strconv.Itoa(status)] = &response
	}
}

// operation describes one call; extra lists the statuses that it answers beside the usual ones. One with 403 among them
// is for administrators only; the key of a suspended owner gets 403 from all.
func operation(id, method, path, tag, summary string, success int, extra ...int) huma.Operation {
	return huma.Operation{
		Extensions:  extensions(id, method, slices.Contains(extra, http.StatusForbidden)),
		OperationID: id, Method: method, Path: path, Tags: []string{tag}, Summary: summary,
		DefaultStatus: success, MaxBodyBytes: maxBody + 1, // huma refuses what reaches its bound
		BodyReadTimeout: -1, // patientBody has one
		Errors: append([]int{
			http.StatusUnauthorized, http.StatusForbidden, http.StatusUnprocessableEntity, http.StatusTooManyRequests, http.StatusServiceUnavailable,
		}, extra...),
	}
}

// adminsOnly is the member of an operation in the OpenAPI document that says that only administrators may call it.
const adminsOnly = "x-administrators-only"

// extensions are what the OpenAPI document says of an operation beyond the standard.
func extensions(operationID, method string, forAdmins bool) map[string]any {
	members := auditExtension(operationID, method)
	if forAdmins {
		members[adminsOnly] = true
	}
	return members
}
