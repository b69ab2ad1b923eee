package main

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// fake is a machine that runs nothing, and remembers what it was told to run.
type fake struct {
	programs []string
	fails    string
	ran      []string
	out      bytes.Buffer
}

func (f *fake) machine(root bool) machine {
	return machine{
		root: root, out: &f.out,
		has: func(program string) bool { return slices.Contains(f.programs, program) },
		run: func(_ context.Context, command ...string) error {
			line := strings.Join(command, " ")
			f.ran = append(f.ran, line)
			if f.fails != "" && strings.HasPrefix(line, f.fails) {
				return errors.New("exit status 1")
			}
			return nil
		},
	}
}

func TestInstall(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		programs []string
		root     bool
		fails    string
		needs    []need
		ran      []string
		fault    string // of the error
		told     string // in what is printed
	}{
		{name: "nothing is missing", programs: []string{"apt-get"}, root: true},
		{
			name: "Debian", programs: []string{"apt-get"}, root: true, needs: []need{postgres, compiler},
			ran: []string{
				"apt-get update", "apt-get install -y --no-install-recommends postgresql",
				"apt-get update", "apt-get install -y --no-install-recommends gcc libc6-dev",
			},
			told: "PostgreSQL is missing: apt-get install",
		},
		{name: "Fedora", programs: []string{"dnf"}, root: true, needs: []need{postgres}, ran: []string{"dnf install -y postgresql-server"}},
		{name: "Alpine", programs: []string{"apk"}, root: true, needs: []need{compiler}, ran: []string{"apk add gcc musl-dev"}},
		{name: "a Mac", programs: []string{"brew"}, needs: []need{postgres}, ran: []string{"brew install postgresql@17"}},
		{
			name: "a Mac's root", programs: []string{"brew"}, root: true, needs: []need{postgres},
			fault: "cannot be installed by this user: run, as a user who is not root, brew install postgresql@17",
		},
		{
			name: "a Mac without a compiler", programs: []string{"brew"}, needs: []need{compiler},
			told: "install it by hand; testing without the race detector",
		},
		{
			name: "by sudo", programs: []string{"dnf", "sudo"}, needs: []need{postgres},
			ran: []string{"sudo -n true", "sudo -n dnf install -y postgresql-server"},
		},
		{
			name: "sudo asks for a password", programs: []string{"dnf", "sudo"}, fails: "sudo -n true", needs: []need{postgres, compiler},
			ran:   []string{"sudo -n true", "sudo -n true"},
			fault: "PostgreSQL is missing and cannot be installed by this user: run, as root, dnf install -y postgresql-server",
			told:  "run, as root, dnf install -y gcc glibc-devel; testing without the race detector",
		},
		{
			name: "no sudo", programs: []string{"apt-get"}, needs: []need{postgres},
			fault: "run, as root, apt-get install -y --no-install-recommends postgresql",
		},
		{name: "no package manager", root: true, needs: []need{postgres}, fault: "there is no package manager here that has it"},
		{
			name: "the installation fails", programs: []string{"apk"}, root: true, fails: "apk", needs: []need{postgres},
			ran: []string{"apk add postgresql"}, fault: "PostgreSQL is missing, and apk add postgresql failed: exit status 1",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := &fake{programs: test.programs, fails: test.fails}
			err := f.machine(test.root).install(t.Context(), test.needs)
			if test.fault == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, test.fault)
			}
			require.Equal(t, test.ran, f.ran)
			require.Contains(t, f.out.String(), test.told)
		})
	}
}
