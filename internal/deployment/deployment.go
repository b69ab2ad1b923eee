// Package deployment runs Postrider as production does, on one machine: PostgreSQL, Temporal in a process of
// its own with its state in PostgreSQL, and any number of `postrider serve`. It only starts processes and
// says when they can be used; who keeps them running is the caller's business. PostgreSQL is the caller's
// too: internal/testdb starts a throwaway server.
package deployment

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Names of the databases that Temporal gets beside Postrider's own.
const (
	temporalDatabase = "postrider_temporal"
	// VisibilityDatabase holds the lists of workflows that can be searched.
	VisibilityDatabase = temporalDatabase + "_visibility"
)

// pollInterval is how often a wait looks again.
const pollInterval = 20 * time.Millisecond

// Config says where everything is.
type Config struct {
	// Programs is the folder of the programs postrider and postrider-dev.
	Programs string
	// Home is an empty folder: no profile of the Temporal tools must change where a process connects to.
	Home string
	// DatabaseURL is Postrider's database. Temporal's are created on the same server.
	DatabaseURL string
	// AdminKey and EncryptionKey are Postrider's.
	AdminKey, EncryptionKey string
	// TemporalPort, TemporalUIPort and APIPorts are free ports on 127.0.0.1. There is one `serve` for each of
	// APIPorts.
	TemporalPort, TemporalUIPort int
	APIPorts                     []int
	// Settings are environment variables that postrider gets in addition.
	Settings []string
	// TemporalSettings are environment variables that Temporal gets in addition.
	TemporalSettings []string
}

// Deployment starts the processes of one installation.
type Deployment struct {
	config      Config
	temporalURL string
	client      *http.Client
}

// New returns a deployment of which nothing runs yet.
func New(config Config) (*Deployment, error) {
	temporal, err := url.Parse(config.DatabaseURL)
	if err != nil || temporal.Scheme != "postgres" {
		return nil, errors.New("the deployment's database must be postgres://…")
	}
	temporal.Path = "/" + temporalDatabase
	return &Deployment{config: config, temporalURL: temporal.String(), client: &http.Client{Timeout: 5 * time.Second}}, nil
}

// URL is the address of the n-th API.
func (d *Deployment) URL(n int) string { return "http://" + local(d.config.APIPorts[n]) }

// TemporalAddress is the host and port of Temporal's frontend.
func (d *Deployment) TemporalAddress() string { return local(d.config.TemporalPort) }

// TemporalUI is the address of Temporal's Web UI.
func (d *Deployment) TemporalUI() string { return "http://" + local(d.config.TemporalUIPort) }

// Migrate brings the schema of Postrider's database up to date.
func (d *Deployment) Migrate(ctx context.Context) error {
	p, err := d.postrider(0, "migrate")
	if err != nil {
		return err
	}
	select {
	case <-p.Exited():
	case <-ctx.Done():
		p.Kill()
		return fmt.Errorf("migrate: %w", ctx.Err())
	}
	if p.ExitCode() != 0 {
		return fmt.Errorf("migrate: %s", p.Stderr.Tail())
	}
	return nil
}

// StartTemporal starts Temporal; WaitTemporal waits until it can be used.
func (d *Deployment) StartTemporal() (*Process, error) {
	return Start(Command{
		Folder: d.config.Programs, Name: "postrider-dev",
		Args: []string{"temporal", "--temporal-port", strconv.Itoa(d.config.TemporalPort),
			"--temporal-ui-port", strconv.Itoa(d.config.TemporalUIPort)},
		Environment: append([]string{
			"HOME=" + d.config.Home, "POSTRIDER_TEMPORAL_DATABASE_URL=" + d.temporalURL,
		}, d.config.TemporalSettings...),
	})
}

// StartServe starts the n-th `postrider serve`; WaitServe waits until it can be used.
func (d *Deployment) StartServe(n int) (*Process, error) { return d.postrider(n, "serve") }

func (d *Deployment) postrider(n int, command string) (*Process, error) {
	return Start(Command{
		Folder: d.config.Programs, Name: "postrider", Args: []string{command},
		Environment: append([]string{
			"HOME=" + d.config.Home,
			"POSTRIDER_DATABASE_URL=" + d.config.DatabaseURL,
			"POSTRIDER_ADMIN_KEY=" + d.config.AdminKey,
			"POSTRIDER_ENCRYPTION_KEY=" + d.config.EncryptionKey,
			"POSTRIDER_ALLOW_TARGETS=127.0.0.0/8,::1/128",
			"POSTRIDER_TEMPORAL_UI_URL=" + d.TemporalUI(),
			"POSTRIDER_LISTEN=" + local(d.config.APIPorts[n]),
			"TEMPORAL_ADDRESS=" + d.TemporalAddress(),
		}, d.config.Settings...),
	})
}

// WaitTemporal waits until a Temporal that StartTemporal started can be used, or has ended.
func (d *Deployment) WaitTemporal(ctx context.Context, p *Process) error {
	return wait(ctx, p, func() bool { return p.Stdout.Contains("Web UI") })
}

// WaitServe waits until the n-th process that StartServe started can be used, or has ended.
func (d *Deployment) WaitServe(ctx context.Context, n int, p *Process) error {
	return wait(ctx, p, func() bool { return d.Ready(ctx, n) })
}

// Ready says whether the n-th `serve` answers that everything works.
func (d *Deployment) Ready(ctx context.Context, n int) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, d.URL(n)+"/readyz", nil)
	if err != nil {
		return false
	}
	response, err := d.client.Do(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}

func wait(ctx context.Context, p *Process, ready func() bool) error {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for !ready() {
		select {
		case <-p.Exited():
			return fmt.Errorf("%s ended: %s", p, p.Stderr.Tail())
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w", p, ctx.Err())
		case <-ticker.C:
		}
	}
	return nil
}

func local(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
