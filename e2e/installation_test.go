package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/postrider/postrider/internal/deployment"
	"github.com/postrider/postrider/internal/keyring"
	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/internal/testdb"
	"github.com/postrider/postrider/models"
)

// deployments are the ways to run Postrider. Their functions prepare an installation and start nothing.
var deployments = []struct {
	name    string
	prepare func(t testing.TB, settings ...string) *installation
}{
	{"dev", prepareDev},
	{"production", prepareProduction},
}

// onEach tells a story on every deployment. The installation runs when the story begins; settings are
// environment variables that it gets in addition.
func onEach(t *testing.T, story func(t *testing.T, p *installation), settings ...string) {
	t.Helper()
	for _, deployment := range deployments {
		t.Run(deployment.name, func(t *testing.T) {
			t.Parallel()
			p := deployment.prepare(t, settings...)
			p.start(t)
			story(t, p)
		})
	}
}

// installation is Postrider, ready to use.
type installation struct {
	// url is the API's, temporalAddress and temporalUI those of Temporal. They outlast restarts.
	url, temporalAddress, temporalUI string
	databaseURL                      string
	adminKey, encryptionKey          string
	postrider                        *program
	launchPostrider                  func(t testing.TB) *program
	// patience is what a test needs beyond the usual for all that it makes happen.
	patience time.Duration
	// temporal is nil where Temporal is a part of the postrider process.
	temporal       *program
	launchTemporal func(t testing.TB) *program
	// temporalSettings are environment variables of that process.
	temporalSettings []string
	// sweepPaused is set by pauseSweep.
	sweepPaused bool
	// programs are all that ever ran.
	programs []*program
	// readKeys, unless nil, reads the keys that the program made for itself.
	readKeys func(t testing.TB)
}

// noRateLimit lets the tests ask as fast as they can, with the one key of an installation.
const noRateLimit = "POSTRIDER_RATE_LIMIT=0"

func prepareDev(t testing.TB, settings ...string) *installation {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "data")
	api, temporal, ui := ports.next(t), ports.next(t), ports.next(t)
	p := &installation{
		url: "http://" + address(api), temporalAddress: address(temporal), temporalUI: "http://" + address(ui),
		databaseURL: "sqlite://" + filepath.Join(folder, "postrider.db"),
	}
	p.launchPostrider = func(t testing.TB) *program {
		return launch(t, append([]string{noRateLimit}, settings...), "postrider-dev", "--data-dir", folder, "--listen", address(api),
			"--temporal-port", strconv.Itoa(temporal), "--temporal-ui-port", strconv.Itoa(ui), "--receiver", "off")
	}
	p.readKeys = func(t testing.TB) {
		p.adminKey = readLine(t, filepath.Join(folder, "admin.key"))
		p.encryptionKey = readLine(t, filepath.Join(folder, "encryption.key"))
	}
	return p
}

func readLine(t testing.TB, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	return strings.TrimSpace(string(content))
}

func prepareProduction(t testing.TB, settings ...string) *installation {
	t.Helper()
	return prepareProductionOn(t, testdb.Postgres(t), settings...)
}

func prepareProductionOn(t testing.TB, databaseURL string, settings ...string) *installation {
	t.Helper()
	folder := t.TempDir()
	api, temporal, ui := ports.next(t), ports.next(t), ports.next(t)
	p := &installation{
		url: "http://" + address(api), temporalAddress: address(temporal), temporalUI: "http://" + address(ui),
		databaseURL: databaseURL, adminKey: models.NewAPIKeyToken(), encryptionKey: keyring.NewKey(),
	}
	environment := append([]string{
		"POSTRIDER_DATABASE_URL=" + p.databaseURL,
		"POSTRIDER_ADMIN_KEY=" + p.adminKey,
		"POSTRIDER_ENCRYPTION_KEY=" + p.encryptionKey,
		"POSTRIDER_ALLOW_TARGETS=127.0.0.0/8,::1/128",
		"POSTRIDER_TEMPORAL_UI_URL=" + p.temporalUI,
		"POSTRIDER_LISTEN=" + address(api),
		"TEMPORAL_ADDRESS=" + p.temporalAddress,
		noRateLimit,
	}, settings...)
	migrate := launch(t, environment, "postrider", "migrate")
	require.Zero(t, migrate.exitCode(t))
	p.programs = append(p.programs, migrate)
	p.launchPostrider = func(t testing.TB) *program { return launch(t, environment, "postrider", "serve") }
	p.launchTemporal = func(t testing.TB) *program {
		return launch(t, p.temporalSettings, "postrider-dev", "temporal", "--data-dir", folder,
			"--temporal-port", strconv.Itoa(temporal), "--temporal-ui-port", strconv.Itoa(ui))
	}
	return p
}

// newFleet starts one installation of several `serve` and returns each as an installation of its own.
func newFleet(t *testing.T, processes int, settings ...string) []*installation {
	t.Helper()
	cluster := testdb.NewCluster(t)
	config := deployment.Config{
		Programs: programFolder, Home: t.TempDir(), DatabaseURL: cluster.URL(),
		AdminKey: models.NewAPIKeyToken(), EncryptionKey: keyring.NewKey(),
		TemporalPort: ports.next(t), TemporalUIPort: ports.next(t), Settings: append(settings, noRateLimit),
	}
	for range processes {
		config.APIPorts = append(config.APIPorts, ports.next(t))
	}
	site, err := deployment.New(config)
	require.NoError(t, err)
	require.NoError(t, site.Migrate(t.Context()))
	launched := func(process *deployment.Process, err error) *deployment.Process {
		t.Helper()
		require.NoError(t, err)
		t.Cleanup(process.Kill)
		return process
	}
	temporal := launched(site.StartTemporal())
	require.NoError(t, site.WaitTemporal(t.Context(), temporal))
	var fleet []*installation
	for n := range processes {
		p := &installation{
			url: site.URL(n), databaseURL: config.DatabaseURL, adminKey: config.AdminKey, encryptionKey: config.EncryptionKey,
			temporalAddress: site.TemporalAddress(), temporalUI: site.TemporalUI(), temporal: &program{temporal},
			launchPostrider: func(testing.TB) *program { return &program{launched(site.StartServe(n))} },
		}
		p.start(t)
		fleet = append(fleet, p)
	}
	return fleet
}

// start starts what does not run and waits until everything works.
func (p *installation) start(t testing.TB) {
	t.Helper()
	p.startTemporal(t)
	p.startPostrider(t)
	began := time.Now()
	eventually(t, func() bool {
		require.False(t, p.postrider.HasExited(), "postrider ended")
		return p.ready()
	}, "postrider is not ready")
	t.Logf("ready after %s", time.Since(began).Round(time.Millisecond))
	if p.readKeys != nil {
		p.readKeys(t)
	}
}

func (p *installation) startTemporal(t testing.TB) {
	t.Helper()
	if p.launchTemporal == nil || p.temporal != nil {
		return
	}
	p.temporal = p.launchTemporal(t)
	p.programs = append(p.programs, p.temporal)
	eventually(t, func() bool {
		require.False(t, p.temporal.HasExited(), "Temporal ended")
		return p.temporal.Stdout.Contains("Web UI")
	}, "Temporal is not ready")
}

func (p *installation) startPostrider(t testing.TB) {
	t.Helper()
	if p.postrider != nil {
		return
	}
	p.postrider = p.launchPostrider(t)
	p.programs = append(p.programs, p.postrider)
}

// ready asks for all checks, or for all but the sweep's while a test keeps the sweep from coming.
func (p *installation) ready() bool {
	if !p.sweepPaused {
		return p.passes("/readyz")
	}
	return p.passes("/readyz/database") && p.passes("/readyz/temporal") && p.passes("/readyz/worker")
}

func (p *installation) passes(check string) bool {
	response, err := httpClient.Get(p.url + check)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// killPostrider ends postrider as a crash does, and Temporal with it where it is in the same process.
func (p *installation) killPostrider() {
	p.postrider.Kill()
	p.postrider = nil
}

// killTemporal ends Temporal as a crash does where it is a process of its own.
func (p *installation) killTemporal() {
	if p.temporal != nil {
		p.temporal.Kill()
		p.temporal = nil
	}
}

// terminated waits for the end of postrider after SIGTERM and returns its exit code.
func (p *installation) terminated(t testing.TB) int {
	t.Helper()
	code := p.postrider.exitCode(t)
	p.postrider = nil
	return code
}

// dial connects to the installation's Temporal.
func (p *installation) dial(t testing.TB) client.Client {
	t.Helper()
	return dialTemporal(t, client.Options{HostPort: p.temporalAddress})
}

// store opens the installation's database.
func (p *installation) store(t testing.TB) *store.Store {
	t.Helper()
	key, err := keyring.ParseKey(p.encryptionKey)
	require.NoError(t, err)
	ring, err := keyring.New(key)
	require.NoError(t, err)
	return storetest.New(t, storetest.Open(t, p.databaseURL), store.Config{Keyring: ring})
}
