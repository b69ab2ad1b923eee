package installation

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// programNames are the programs of an installation.
var programNames = []string{"postrider", "postrider-dev"}

// FindPrograms returns the folder of the programs to start: the given one, the one that this program lies in,
// or, within a checkout of the source, a new one that they are built into and that remove deletes. step hears what takes time.
func FindPrograms(ctx context.Context, given string, step func(string)) (folder string, remove func() error, err error) {
	kept := func() error { return nil }
	if given != "" {
		if missing := missingFrom(given); missing != "" {
			return "", nil, fmt.Errorf("--programs: there is no %s in %s", missing, given)
		}
		return given, kept, nil
	}
	if self, err := os.Executable(); err == nil && missingFrom(filepath.Dir(self)) == "" {
		return filepath.Dir(self), kept, nil
	}
	folder, err = os.MkdirTemp("", "postrider-bench-")
	if err != nil {
		return "", nil, err
	}
	remove = func() error { return os.RemoveAll(folder) }
	step("building the programs")
	args := []string{"build", "-ldflags=-s -w", "-o", folder + string(filepath.Separator)}
	for _, name := range programNames {
		args = append(args, "github.com/postrider/postrider/cmd/"+name)
	}
	output, err := exec.CommandContext(ctx, "go", args...).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("postrider and postrider-dev are not beside this program and cannot be built here (%w); "+
			"run it in a checkout, or name their folder with --programs: %s", err, strings.TrimSpace(string(output)))
		return "", nil, errors.Join(err, remove())
	}
	return folder, remove, nil
}

// missingFrom returns the name of a program that the folder lacks.
func missingFrom(folder string) string {
	for _, name := range programNames {
		if info, err := os.Stat(filepath.Join(folder, name)); err != nil || info.IsDir() {
			return name
		}
	}
	return ""
}
