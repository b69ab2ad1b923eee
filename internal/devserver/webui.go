package devserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"github.com/temporalio/ui-server/v2/server/api"
	uiconfig "github.com/temporalio/ui-server/v2/server/config"
	"github.com/temporalio/ui-server/v2/server/csrf"
	"github.com/temporalio/ui-server/v2/server/route"
	"github.com/temporalio/ui-server/v2/ui"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

const (
	// maxMessage is the largest answer that the UI accepts from the server.
	maxMessage = 64 << 20
	// uiStopTimeout is how long Stop waits for the UI's open requests.
	uiStopTimeout = time.Second
)

// webUI serves Temporal's Web UI. The UI's own server opens its port itself
// and ends the process when it cannot, so its parts are put together here,
// behind a listener that is open already.
type webUI struct {
	listener net.Listener
	server   *http.Server
	conn     *grpc.ClientConn // nil until served
	done     chan struct{}    // closed when the server has ended, nil until served
}

func newWebUI(listener net.Listener, logger *slog.Logger) *webUI {
	return &webUI{
		listener: listener,
		server: &http.Server{
			ReadHeaderTimeout: 10 * time.Second,
			ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
		},
	}
}

func (u *webUI) address() string { return u.listener.Addr().String() }

// serve starts to answer requests, with the server at address behind them.
func (u *webUI) serve(address, namespace string) error {
	conn, err := grpc.NewClient(address,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage)))
	if err != nil {
		return fmt.Errorf("connect the web UI: %w", err)
	}
	u.conn = conn
	if u.server.Handler, err = uiHandler(conn, &uiconfig.Config{
		TemporalGRPCAddress: address,
		DefaultNamespace:    namespace,
		EnableUI:            true,
		// Without it, the UI asks a server on the internet.
		DisableNewsFetch: true,
		HideLogs:         true,
		// Browsers do not keep Secure cookies of a plain http page.
		CORS: uiconfig.CORS{CookieInsecure: true},
	}); err != nil {
		return fmt.Errorf("build the web UI: %w", err)
	}
	u.done = make(chan struct{})
	go func() {
		defer close(u.done)
		// It ends by stop, and only then.
		_ = u.server.Serve(u.listener)
	}()
	return nil
}

func (u *webUI) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), uiStopTimeout)
	defer cancel()
	err := u.server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = u.server.Close()
	}
	if u.done != nil {
		<-u.done
	} else if closeErr := u.listener.Close(); !errors.Is(closeErr, net.ErrClosed) {
		err = errors.Join(err, closeErr)
	}
	if u.conn != nil {
		err = errors.Join(err, u.conn.Close())
	}
	return err
}

// uiHandler answers the UI's pages, its settings and, under /api/v1, the
// server's gRPC API as JSON.
func uiHandler(conn *grpc.ClientConn, cfg *uiconfig.Config) (http.Handler, error) {
	provider, err := uiconfig.NewConfigProviderWithRefresh(cfg)
	if err != nil {
		return nil, err
	}
	assets, err := ui.Assets()
	if err != nil {
		return nil, err
	}
	if assets, err = fs.Sub(assets, "local"); err != nil {
		return nil, err
	}

	e := echo.New()
	e.Logger.SetOutput(io.Discard)
	e.Use(
		localHostOnly,
		middleware.Recover(),
		middleware.Gzip(),
		middleware.Secure(),
		csrf.EnsureTokenCookie(!cfg.CORS.CookieInsecure),
		middleware.CSRFWithConfig(csrf.MiddlewareConfig(provider, !cfg.CORS.CookieInsecure)),
	)
	route.SetHealthRoute(e)
	v1 := e.Group("/api/v1")
	v1.GET("/settings", api.GetSettings(provider))
	v1.GET(api.WorkflowRawHistoryUrl, api.WorkflowRawHistoryHandler(workflowservice.NewWorkflowServiceClient(conn)))
	v1.Any("/*", api.TemporalAPIHandler(provider, nil, conn))
	if err := route.SetUIRoutes(e, "", assets); err != nil {
		return nil, err
	}
	route.SetRenderRoute(e, "")
	return e, nil
}

// localHostOnly refuses requests for another host than this one. The UI has no
// login; a page on the internet whose name was made to resolve to 127.0.0.1
// could use it from the user's browser.
func localHostOnly(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if !isLocalHost(c.Request().Host) {
			return echo.NewHTTPError(http.StatusForbidden, "open the Temporal Web UI as localhost or 127.0.0.1")
		}
		return next(c)
	}
}

// isLocalHost reports whether hostport, as in a Host header, means this machine.
func isLocalHost(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.Trim(hostport, "[]")
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
