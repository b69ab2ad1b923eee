package app

import (
	"bytes"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/postrider/postrider/internal/timing"
)

// composeFile is what Postrider's own services in docker-compose.yml say.
type composeFile struct {
	Services map[string]struct {
		Image           string            `yaml:"image"`
		Command         []string          `yaml:"command"`
		Environment     map[string]string `yaml:"environment"`
		Networks        []string          `yaml:"networks"`
		StopGracePeriod time.Duration     `yaml:"stop_grace_period"`
	} `yaml:"services"`
	Networks map[string]struct {
		IPAM struct {
			Config []struct {
				Subnet  netip.Prefix `yaml:"subnet"`
				Gateway netip.Addr   `yaml:"gateway"`
			} `yaml:"config"`
		} `yaml:"ipam"`
	} `yaml:"networks"`
}

func readComposeFile(t *testing.T) composeFile {
	t.Helper()
	text, err := os.ReadFile("../../docker-compose.yml")
	require.NoError(t, err)
	var compose composeFile
	require.NoError(t, yaml.Unmarshal(text, &compose))
	return compose
}

// withDefault is a variable of the compose file that has a default.
var withDefault = regexp.MustCompile(`^\$\{\w+:-(.*)\}$`)

// The compose file's commands and variables are those of the program.
func TestComposeFileRunsThePrograms(t *testing.T) {
	t.Parallel()
	code, help, _ := postriderLine(t, "serve", "--help")
	require.Zero(t, code)
	ours := 0
	for name, service := range readComposeFile(t).Services {
		if service.Image != "postrider:local" {
			continue
		}
		ours++
		parser, err := newParser(&postrider{}, kong.Name("postrider"), productionVars(), kong.Writers(&bytes.Buffer{}, &bytes.Buffer{}))
		require.NoError(t, err)
		_, err = parser.Parse(service.Command)
		require.NoError(t, err, name)
		for variable := range service.Environment {
			if strings.HasPrefix(variable, "POSTRIDER_") {
				require.Contains(t, help, "$"+variable, name)
			}
		}
	}
	require.Equal(t, 3, ours)
}

// Docker must not kill a process that still finishes its attempts.
func TestComposeFileWaitsForAttempts(t *testing.T) {
	t.Parallel()
	require.Greater(t, readComposeFile(t).Services["postrider"].StopGracePeriod, timing.WorkerStop)
}

// Deliveries reach the receivers' network, but not its gateway, which is the machine itself.
func TestComposeFileAllowsTheReceiversOnly(t *testing.T) {
	t.Parallel()
	compose := readComposeFile(t)
	serve, network := compose.Services["postrider"], compose.Networks["receivers"].IPAM.Config[0]
	allowed := withDefault.FindStringSubmatch(serve.Environment["POSTRIDER_ALLOW_TARGETS"])
	require.NotNil(t, allowed)
	require.True(t, strings.HasPrefix(allowed[1], network.Subnet.String()+":"), allowed[1])
	denied := withDefault.FindStringSubmatch(serve.Environment["POSTRIDER_DENY_TARGETS"])
	require.NotNil(t, denied)
	require.Equal(t, network.Gateway.String()+"/32", denied[1])
	require.True(t, slices.Contains(serve.Networks, "receivers"))
	require.Equal(t, []string{"receivers"}, compose.Services["receiver"].Networks)
}
