// Package console is the pages for operators, rendered by the server. They read through the same use cases as the API, and
// what a button does is a call of the API: nothing can be done here that cannot be done there, or in another way.
package console

import (
	"log/slog"
	"maps"
	"net/http"
	"time"

	"github.com/postrider/postrider/console/view"
	"github.com/postrider/postrider/internal/keyring"
	"github.com/postrider/postrider/internal/service"
)

// Base is the path that all pages are under.
const Base = "/console"

// Config is what the console is made of.
type Config struct {
	// Service reads what pages show.
	Service *service.Service
	// API makes the calls of buttons and forms, and judges the keys of who signs in.
	API http.Handler
	// Keyring seals the cookies of sessions.
	Keyring *keyring.Keyring
	// ClientAddress returns the address that a request comes from.
	ClientAddress func(*http.Request) string
	// PublicURL is the API's base URL as its users see it.
	PublicURL string
	// Version of Postrider.
	Version string
	// WorkflowURL returns the page of a workflow in the Temporal Web UI, empty when that is not known.
	WorkflowURL func(workflowID, runID string) string
	// System tells of the process.
	System System
	// Receiver is a receiver in this process, which ReceiverURL leads to; nil for none.
	Receiver    Receiver
	ReceiverURL string
	// Brand is whose portal it is, and FrameAncestors are the origins whose pages may show it in a frame.
	Brand          Brand
	FrameAncestors []string
	// Now is the clock; time.Now when nil.
	Now    func() time.Time
	Logger *slog.Logger
}

type console struct {
	Config
	// secure says that browsers reach the pages by HTTPS only.
	secure bool
	files  *files
	hub    *hub
	told   *told
}

// Console is the handler of everything under Base and PortalBase.
type Console struct {
	http.Handler
	c *console
}

// Close ends the streams, which would go on for ever.
func (c *Console) Close() { c.c.hub.close() }

// New returns the console.
func New(cfg Config) *Console {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.WorkflowURL == nil {
		cfg.WorkflowURL = func(string, string) string { return "" }
	}
	c := &console{Config: cfg, secure: isHTTPS(cfg.PublicURL), files: theFiles(), told: newTold(cfg.Now)}
	c.hub = newHub(cfg.Service.Changes, cfg.Now, cfg.Logger)
	mux := http.NewServeMux()
	mux.Handle("GET "+Base+"/static/{name}", c.files)
	mux.HandleFunc("GET "+Base+"/sign-in", c.signInPage)
	mux.HandleFunc("POST "+Base+"/sign-in", c.signIn)
	mux.HandleFunc("POST "+Base+"/sign-out", c.signedIn(c.signOut))
	mux.HandleFunc("POST "+Base+"/call", c.signedIn(c.call))
	mux.HandleFunc("POST "+Base+"/curl", c.signedIn(c.curl))
	mux.HandleFunc("POST "+Base+"/receiver", c.signedIn(c.answer))
	mux.HandleFunc("GET "+Base+"/live", c.signedIn(c.live))
	mux.HandleFunc("POST "+Base+"/owners/{id}/open", c.signedIn(c.openAs))
	mux.HandleFunc("POST "+Base+"/sources/{id}/try", c.signedIn(c.show(c.tryRequest)))
	mux.Handle(Base+"/as/{owner}/", c.asOwner(mux))
	mux.HandleFunc("GET "+Base+"/events/{id}/data", c.signedIn(c.eventData))
	mux.HandleFunc("GET "+Base+"/inbound-events/{id}/body", c.signedIn(c.inboundBody))
	for path, page := range c.pages() {
		mux.HandleFunc("GET "+Base+path, c.signedIn(c.show(page)))
	}
	mux.HandleFunc(Base+"/", c.signedIn(c.show(func(*request) (view.Page, error) { return view.Page{}, errNoPage })))
	both := http.NewServeMux()
	both.Handle(Base+"/", mux)
	both.Handle(PortalBase+"/", c.portal(mux))
	return &Console{c.harden(compressed(sameOrigin(both))), c}
}

// pages are all pages by their paths.
func (c *console) pages() map[string]page {
	all := map[string]page{}
	for _, of := range []map[string]page{
		c.deliveryPages(),
		c.eventPages(),
		c.eventTypePages(),
		c.inboundPages(),
		c.overviewPages(),
		c.ownerPages(),
		c.recoveryPages(),
		c.receiverPages(),
		c.systemPages(),
		c.webhookPages(),
	} {
		maps.Copy(all, of)
	}
	return all
}
