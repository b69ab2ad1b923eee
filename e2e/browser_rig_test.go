package e2e

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// browser is a real one, with a profile of its own.
type browser struct {
	t   *testing.T
	ctx context.Context

	mu sync.Mutex
	// faults are what scripts threw, and what the policy of the pages refused.
	faults []string
}

// newBrowser starts a browser; the test is skipped where there is none.
func newBrowser(t *testing.T) *browser {
	t.Helper()
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			program = path
			break
		}
	}
	if program == "" {
		t.Skip("no browser here: install Debian's package chromium for this test")
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(program), chromedp.Flag("lang", "en"))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	allocated, endBrowser := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), options...)
	t.Cleanup(endBrowser)
	b := &browser{t: t}
	ctx, closeTab := chromedp.NewContext(allocated, chromedp.WithListener(b.listen))
	t.Cleanup(closeTab)
	b.ctx = ctx
	require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(1280, 900))) // the browser lives as long as the context of its first action
	t.Cleanup(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		require.Empty(t, b.faults, "what pages complain of")
	})
	return b
}

// listen keeps what a page complains of, but for answers that are no success, which are the tests' own.
func (b *browser) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch event := event.(type) {
	case *runtime.EventExceptionThrown:
		b.faults = append(b.faults, event.ExceptionDetails.Text+" "+event.ExceptionDetails.Exception.Description)
	case *cdplog.EventEntryAdded:
		if event.Entry.Level == cdplog.EntryLevelError && event.Entry.Source != cdplog.EntrySourceNetwork {
			b.faults = append(b.faults, event.Entry.Text)
		}
	}
}

// do acts, one action after the other.
func (b *browser) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	require.NoError(b.t, chromedp.Do(ctx, actions...))
}

// evaluated is what an expression gives in a page.
func evaluated[T any](b *browser, expression string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	require.NoError(b.t, err, expression)
	return value
}

func (b *browser) open(address string) {
	b.t.Helper()
	b.do(chromedp.Navigate(address))
}

// fill writes into a field, and click presses something, once it can be seen.
func (b *browser) fill(selector, text string) {
	b.t.Helper()
	b.act(selector, `e.focus(); e.value = `+strconv.Quote(text)+`; for (const what of ["input", "change"]) e.dispatchEvent(new Event(what, {bubbles: true}))`)
}

func (b *browser) click(selector string) {
	b.t.Helper()
	b.act(selector, "e.click()")
}

func (b *browser) act(selector, script string) {
	b.t.Helper()
	eventually(b.t, func() bool {
		return evaluated[bool](b, `(() => { const e = document.querySelector(`+strconv.Quote(selector)+`);
			if (!e?.checkVisibility() || e.disabled) return false; `+script+`; return true })()`)
	}, "there is no %s to be seen", selector)
}

// says waits until a part of the page has a text.
func (b *browser) says(selector, text string) {
	b.t.Helper()
	eventually(b.t, func() bool { return strings.Contains(b.text(selector), text) }, "%s does not say %q", selector, text)
}

// text is what a part of the page says; empty where there is none.
func (b *browser) text(selector string) string {
	b.t.Helper()
	return evaluated[string](b, `document.querySelector(`+strconv.Quote(selector)+`)?.innerText ?? ""`)
}

// arrives waits until the browser is at an address that begins so, and returns it.
func (b *browser) arrives(at string) (address string) {
	b.t.Helper()
	eventually(b.t, func() bool {
		address = evaluated[string](b, "location.href")
		return strings.HasPrefix(address, at)
	}, "the browser does not come to %s", at)
	return address
}
