package testdb

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
)

// ErrNotInstalled means that PostgreSQL's server programs are not on this machine.
var ErrNotInstalled = errors.New("PostgreSQL is not installed (no initdb and postgres on PATH or in " +
	debianPrograms + "): run apt-get install postgresql, or name a server in " + URLVariable)

// serverAccount is who runs the server in place of root, as whom PostgreSQL refuses to start.
const serverAccount = "postgres"

// debianPrograms is where Debian's packages put the programs of each major version; they are not on PATH.
const debianPrograms = "/usr/lib/postgresql/*/bin"

// programs are the paths of the server's programs.
type programs struct {
	initdb, postgres string
}

// findPrograms prefers what is on PATH, then takes the newest version under the pattern.
func findPrograms(pattern string) (programs, error) {
	initdb, initdbErr := exec.LookPath("initdb")
	postgres, postgresErr := exec.LookPath("postgres")
	if initdbErr == nil && postgresErr == nil {
		return programs{initdb: initdb, postgres: postgres}, nil
	}
	found, err := filepath.Glob(filepath.Join(pattern, "initdb"))
	if err != nil {
		return programs{}, fmt.Errorf("find PostgreSQL: %w", err)
	}
	if len(found) == 0 {
		return programs{}, ErrNotInstalled
	}
	bin := filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return cmp.Compare(majorVersion(a), majorVersion(b)) }))
	return programs{initdb: filepath.Join(bin, "initdb"), postgres: filepath.Join(bin, "postgres")}, nil
}

// majorVersion reads 17 from …/17/bin/initdb; what is not a version comes last.
func majorVersion(program string) float64 {
	version, err := strconv.ParseFloat(filepath.Base(filepath.Dir(filepath.Dir(program))), 64)
	if err != nil {
		return -1
	}
	return version
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
