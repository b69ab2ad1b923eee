package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/postrider/postrider/console/view"
	"github.com/postrider/postrider/signature"
)

// Listen is a local receiver for trying things out.
type Listen struct {
	Address   string        `arg:"" optional:"" default:"127.0.0.1:9000" help:"Where to listen."`
	Secret    string        `env:"POSTRIDER_SECRET" placeholder:"whsec_…" help:"The webhook's secret: signatures are verified with it."`
	Status    int           `default:"200" help:"Answer with this status."`
	Delay     time.Duration `help:"Wait before answering."`
	FailFirst int           `placeholder:"N" help:"Answer the first N requests with 500."`
}

// Run prints requests until the context ends.
func (l *Listen) Run(ctx context.Context, out io.Writer) error {
	if l.Status < 200 || l.Status > 599 {
		return fmt.Errorf("--status must be an HTTP status from 200 to 599, not %d", l.Status)
	}
	receiver, err := newReceiver(*l, out)
	if err != nil {
		return err
	}
	listener, err := listen(ctx, l.Address, "another address: postrider listen 127.0.0.1:9001")
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(out, "listening on http://%s\n", listener.Addr())
	server := &http.Server{Handler: receiver, ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: maxHeaderBytes}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil {
			return server.Close()
		}
		return nil
	}
}

// receiver prints each request readably and answers as it was told to.
type receiver struct {
	Listen
	verifier *signature.Verifier
	mu       sync.Mutex
	out      io.Writer
	received int
	// recent are the newest requests, the newest last.
	recent []view.Received
}

// keptRequests is how many requests the receiver remembers, and keptBody how much of each body.
const (
	keptRequests = 50
	keptBody     = 64 << 10
)

func newReceiver(options Listen, out io.Writer) (*receiver, error) {
	r := &receiver{Listen: options, out: out}
	if options.Secret == "" {
		return r, nil
	}
	var err error
	r.verifier, err = signature.NewVerifier(signature.Config{Scheme: signature.SchemePostrider, Secrets: []string{options.Secret}})
	if err != nil {
		return nil, fmt.Errorf("--secret: %w", err)
	}
	return r, nil
}

// ServeHTTP prints one request.
func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, request.Body, 16<<20))
	if err != nil {
		http.Error(w, "body too large", http.StatusRequestEntityTooLarge)
		return
	}
	status, delay := r.print(request, body)
	select {
	case <-time.After(delay):
	case <-request.Context().Done():
		return
	}
	w.WriteHeader(status)
}

// print writes the request in one piece and returns the answer's status, and how long it is to wait.
func (r *receiver) print(request *http.Request, body []byte) (status int, delay time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.received++
	status = r.Status
	if r.received <= r.FailFirst {
		status = http.StatusInternalServerError
	}
	var text bytes.Buffer
	header := request.Header
	fmt.Fprintf(&text, "\n%s  %s %s → %d\n", time.Now().Format(time.TimeOnly), printable(request.Method), printable(request.URL.Path), status)
	fmt.Fprintf(&text, "  event      %s\n", printable(header.Get("X-Webhook-Event")))
	fmt.Fprintf(&text, "  delivery   %s, attempt %s\n", printable(header.Get("X-Webhook-Delivery")), printable(header.Get("X-Webhook-Attempt")))
	fmt.Fprintf(&text, "  signature  %s\n", printable(r.verify(header, body)))
	var pretty bytes.Buffer
	if json.Indent(&pretty, body, "", "  ") == nil {
		fmt.Fprintln(&text, printableLines(pretty.String(), "  "))
	} else {
		fmt.Fprintln(&text, printableLines(string(body), "  | ")) // its lines cannot pass for ours
	}
	_, _ = r.out.Write(text.Bytes())
	r.remember(request, body, status)
	return status, r.Delay
}

// remember keeps a request for the console. Some other thing that sends to this address must not fill the memory.
func (r *receiver) remember(request *http.Request, body []byte, status int) {
	header := request.Header
	r.recent = append(r.recent, view.Received{
		At: time.Now(), Path: printable(request.URL.Path), Event: printable(header.Get("X-Webhook-Event")),
		DeliveryID: printable(header.Get("X-Webhook-Delivery")), Attempt: printable(header.Get("X-Webhook-Attempt")),
		Status: status, Body: bytes.Clone(body[:min(len(body), keptBody)]), Cut: len(body) > keptBody,
	})
	r.recent = r.recent[max(0, len(r.recent)-keptRequests):]
}

// Received returns the newest requests, the newest first.
func (r *receiver) Received() []view.Received {
	r.mu.Lock()
	defer r.mu.Unlock()
	recent := slices.Clone(r.recent)
	slices.Reverse(recent)
	return recent
}

// Manner is how it answers.
func (r *receiver) Manner() (status int, delay time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.Status, r.Delay
}

// Answer has it answer in another manner from now on.
func (r *receiver) Answer(status int, delay time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Status, r.Delay, r.FailFirst = status, delay, 0
}

func (r *receiver) verify(header http.Header, body []byte) string {
	if r.verifier == nil {
		return "not verified: no --secret given"
	}
	if err := r.verifier.Verify(header, body); err != nil {
		return "INVALID: " + err.Error()
	}
	return "valid"
}
