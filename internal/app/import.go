package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/postrider/postrider/internal/moving"
	"github.com/postrider/postrider/internal/timing"
)

// Import carries endpoints of another system over to an installation, through its API.
type Import struct {
	File string `arg:"" help:"The export of the other system; - reads the standard input."`
	APIAccess
	From         string  `required:"" enum:"svix,convoy,outpost,hook0,csv,json" help:"What the export is of: ${enum}."`
	Owner        *string `placeholder:"ID" help:"Make all webhooks this owner's. Default: the file's owners, which are made where missing."`
	DryRun       bool    `help:"Say what would be done, and do nothing."`
	Paused       bool    `help:"Make new webhooks paused; a run without --paused resumes them."`
	ResetSecrets bool    `help:"Give webhooks that are there already the file's secrets; the ones before sign for 24 hours more."`
	Signature    string  `placeholder:"JSON" help:"The signature header that receivers verify, in place of the system's own; {} for none."`
	Hook0Label   string  `name:"hook0-label" placeholder:"NAME" help:"For hook0: the label that names the owner. Default: the application is the owner."`
}

// Run reads the file, carries over what it holds and prints what became of each endpoint.
func (i *Import) Run(ctx context.Context, out io.Writer) error {
	choices, err := i.check()
	if err != nil {
		return err
	}
	content, err := readFile(i.File)
	if err != nil {
		return err
	}
	endpoints, err := moving.Read(i.From, content, choices)
	if err != nil {
		return fmt.Errorf("%s: %s", i.File, printable(err.Error()))
	}
	counts := make(map[string]int)
	run := moving.Import{
		API:    moving.API{URL: i.URL, Key: i.Key, Client: &http.Client{Timeout: time.Minute}, Wait: timing.Wait},
		DryRun: i.DryRun, Paused: i.Paused, ResetSecrets: i.ResetSecrets,
		Report: func(result moving.Result) {
			counts[result.What]++
			_, _ = fmt.Fprintln(out, printable(result.String()))
		},
	}
	if i.Owner != nil {
		run.Owner = *i.Owner
	}
	if err := run.Run(ctx, endpoints); err != nil {
		return fmt.Errorf("stopped after %d of %d endpoints; run it again to go on: %s", total(counts), len(endpoints), printable(err.Error()))
	}
	if i.DryRun {
		_, _ = fmt.Fprint(out, "Nothing was done; it would be: ")
	}
	_, _ = fmt.Fprintf(out, "%d created, %d changed, %d unchanged, %d refused.\n",
		counts[moving.Created], counts[moving.Changed], counts[moving.Unchanged], counts[moving.Refused])
	if counts[moving.Refused] > 0 {
		return errors.New("some endpoints were refused: change what their lines say, and run it again")
	}
	return nil
}

// check says what is wrong with the flags, and reads the signature.
func (i *Import) check() (choices moving.Choices, err error) {
	if err := i.APIAccess.check(); err != nil {
		return choices, err
	}
	choices.Label = i.Hook0Label
	switch {
	case i.Owner != nil && *i.Owner == "":
		return choices, errors.New("--owner is empty; leave it out for the file's owners")
	case i.Hook0Label != "" && i.From != moving.Hook0:
		return choices, errors.New("--hook0-label is for --from hook0")
	case i.Signature == "":
		return choices, nil
	}
	if json.Unmarshal([]byte(i.Signature), &choices.Signature) != nil || choices.Signature == nil {
		return choices, errors.New(`--signature must be a JSON object such as {"header":"X-Signature","prefix":"sha256=","signed":"{body}"}, or {}`)
	}
	if choices.Signature["secret"] != nil {
		return choices, errors.New("--signature takes no secret: each endpoint signs with its own")
	}
	return choices, nil
}

// maxFile is in bytes: about 200,000 endpoints, or a million short events.
const maxFile = 256 << 20

// readFile reads a file, or the standard input.
func readFile(name string) ([]byte, error) {
	in := os.Stdin
	if name != "-" {
		var err error
		if in, err = os.Open(name); err != nil {
			return nil, err
		}
		defer func() { _ = in.Close() }()
	}
	content, err := io.ReadAll(io.LimitReader(in, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if len(content) > maxFile {
		return nil, fmt.Errorf("%s is larger than %d MiB; split it", name, maxFile>>20)
	}
	return content, nil
}

func total(counts map[string]int) int {
	sum := 0
	for _, n := range counts {
		sum += n
	}
	return sum
}
