// Command prerequisites installs what `make test` needs beside Go where it is missing: PostgreSQL's server programs,
// and a C compiler for Go's race detector. It uses the package manager that it finds, as root or by a sudo that asks
// no question. Where it may not, it prints the command to run, and fails unless the tests can do without.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"

	"github.com/postrider/postrider/internal/pgcluster"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	m := machine{root: os.Geteuid() == 0, has: has, run: run(os.Stderr), out: os.Stderr}
	if err := m.install(ctx, missing(ctx)); err != nil {
		fmt.Fprintln(os.Stderr, "prerequisites:", err)
		os.Exit(1)
	}
}

// need is something to install.
type need struct {
	name string
	// optional says that the tests can do without, and without tells what they miss then.
	optional bool
	without  string
	// packages to install, by package manager. A manager that is not here has none.
	packages map[string][]string
}

var (
	postgres = need{
		name: "PostgreSQL",
		packages: map[string][]string{
			"apt-get": {"postgresql"}, "dnf": {"postgresql-server"}, "apk": {"postgresql"}, "brew": {"postgresql@17"},
		},
	}
	compiler = need{
		name: "a C compiler", optional: true, without: "testing without the race detector",
		packages: map[string][]string{
			"apt-get": {"gcc", "libc6-dev"}, "dnf": {"gcc", "glibc-devel"}, "apk": {"gcc", "musl-dev"},
		},
	}
)

// missing looks for what the tests need. Who builds without C wants no compiler.
func missing(ctx context.Context) []need {
	var needs []need
	if !pgcluster.Installed() {
		needs = append(needs, postgres)
	}
	if os.Getenv("CGO_ENABLED") != "0" && !hasCompiler(ctx) {
		needs = append(needs, compiler)
	}
	return needs
}

// hasCompiler asks Go, which knows what CC names.
func hasCompiler(ctx context.Context) bool {
	name, err := exec.CommandContext(ctx, "go", "env", "CC").Output()
	words := strings.Fields(string(name))
	return err == nil && len(words) > 0 && has(words[0])
}

func has(program string) bool {
	_, err := exec.LookPath(program)
	return err == nil
}

func run(out io.Writer) func(context.Context, ...string) error {
	return func(ctx context.Context, command ...string) error {
		cmd := exec.CommandContext(ctx, command[0], command[1:]...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		cmd.Stdout, cmd.Stderr = out, out
		return cmd.Run()
	}
}

// manager is a package manager.
type manager struct {
	name string
	// refresh, unless nil, comes before install, which the packages follow.
	refresh, install []string
	// asRoot says that it changes the system, which only root may; Homebrew refuses root instead.
	asRoot bool
}

var managers = []manager{
	{
		name: "apt-get", asRoot: true,
		refresh: []string{"apt-get", "update"}, install: []string{"apt-get", "install", "-y", "--no-install-recommends"},
	},
	{name: "dnf", asRoot: true, install: []string{"dnf", "install", "-y"}},
	{name: "apk", asRoot: true, install: []string{"apk", "add"}},
	{name: "brew", install: []string{"brew", "install"}},
}

// machine is where to install.
type machine struct {
	root bool
	// has says whether a program is on PATH; run runs a command.
	has func(program string) bool
	run func(ctx context.Context, command ...string) error
	out io.Writer
}

// install installs all that is needed, or says how.
func (m machine) install(ctx context.Context, needs []need) error {
	var faults []error
	for _, need := range needs {
		err := m.installOne(ctx, need)
		switch {
		case err == nil:
		case need.optional:
			m.say("%s; %s", err, need.without)
		default:
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
}

// say writes a line. Who cannot read it is not told so either.
func (m machine) say(format string, args ...any) { _, _ = fmt.Fprintf(m.out, format+"\n", args...) }

func (m machine) installOne(ctx context.Context, need need) error {
	manager, ok := m.manager()
	packages := need.packages[manager.name]
	if !ok || len(packages) == 0 {
		return fmt.Errorf("%s is missing, and there is no package manager here that has it: install it by hand", need.name)
	}
	command := append(append([]string{}, manager.install...), packages...)
	sudo, ok := m.permission(ctx, manager)
	if !ok {
		by := "as root"
		if !manager.asRoot {
			by = "as a user who is not root"
		}
		return fmt.Errorf("%s is missing and cannot be installed by this user: run, %s, %s", need.name, by, strings.Join(command, " "))
	}
	m.say("%s is missing: %s", need.name, strings.Join(append(sudo, command...), " "))
	if manager.refresh != nil {
		if err := m.run(ctx, append(sudo, manager.refresh...)...); err != nil {
			return fmt.Errorf("%s: %w", strings.Join(manager.refresh, " "), err)
		}
	}
	if err := m.run(ctx, append(sudo, command...)...); err != nil {
		return fmt.Errorf("%s is missing, and %s failed: %w", need.name, strings.Join(command, " "), err)
	}
	return nil
}

func (m machine) manager() (manager, bool) {
	for _, manager := range managers {
		if m.has(manager.name) {
			return manager, true
		}
	}
	return manager{}, false
}

// permission returns what to put before a manager's commands, and whether this user may run them.
func (m machine) permission(ctx context.Context, manager manager) (before []string, ok bool) {
	switch {
	case manager.asRoot == m.root:
		return nil, true
	case manager.asRoot && m.has("sudo") && m.run(ctx, "sudo", "-n", "true") == nil:
		return []string{"sudo", "-n"}, true
	}
	return nil, false
}
