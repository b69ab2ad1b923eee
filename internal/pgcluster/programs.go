package pgcluster

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// ErrNotInstalled means that PostgreSQL's server programs are not on this machine.
var ErrNotInstalled = errors.New("PostgreSQL is not installed (no initdb and postgres on PATH or in " +
	strings.Join(places, ", ") + "): run make prerequisites")

// serverAccount is who runs the server in place of root, as whom PostgreSQL refuses to start.
const serverAccount = "postgres"

// places is where packages put the programs of each major version that are not on PATH: Debian's, those of
// PostgreSQL's own RPMs, and Homebrew's on both kinds of processors.
var places = []string{
	"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin", "/usr/local/opt/postgresql@*/bin",
}

// programs are the paths of the server's programs.
type programs struct {
	initdb, postgres string
}

// Installed says whether the server's programs are on this machine.
func Installed() bool {
	_, err := findPrograms(places...)
	return err == nil
}

// findPrograms prefers what is on PATH, then takes the newest version under the patterns.
func findPrograms(patterns ...string) (programs, error) {
	initdb, initdbErr := exec.LookPath("initdb")
	postgres, postgresErr := exec.LookPath("postgres")
	if initdbErr == nil && postgresErr == nil {
		return programs{initdb: initdb, postgres: postgres}, nil
	}
	var found []string
	for _, pattern := range patterns {
		some, err := filepath.Glob(filepath.Join(pattern, "initdb"))
		if err != nil {
			return programs{}, fmt.Errorf("find PostgreSQL: %w", err)
		}
		found = append(found, some...)
	}
	if len(found) == 0 {
		return programs{}, ErrNotInstalled
	}
	bin := filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return cmp.Compare(majorVersion(a), majorVersion(b)) }))
	return programs{initdb: filepath.Join(bin, "initdb"), postgres: filepath.Join(bin, "postgres")}, nil
}

// version is what ends the name of the folder of a version: 17 of postgresql@17.
var version = regexp.MustCompile(`[0-9]+(\.[0-9]+)?$`)

// majorVersion reads 17 from …/17/bin/initdb; what is not a version comes last.
func majorVersion(program string) float64 {
	number, err := strconv.ParseFloat(version.FindString(filepath.Base(filepath.Dir(filepath.Dir(program)))), 64)
	if err != nil {
		return -1
	}
	return number
}

// serverCredential is the account to run the server as: nil for the present one.
func serverCredential() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	account, err := user.Lookup(serverAccount)
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL does not run as root: %w", err)
	}
	uid, err := strconv.ParseUint(account.Uid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("user %s: %w", serverAccount, err)
	}
	gid, err := strconv.ParseUint(account.Gid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("user %s: %w", serverAccount, err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}
