package console

import (
	"errors"
	"net/http"
	"regexp"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/postrider/postrider/console/view"
	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/models"
)

func (c *console) inboundPages() map[string]page {
	return map[string]page{
		"/inbound": c.inbound, "/inbound-events/{id}": c.inboundEvent, "/sources/new": c.newSource, "/sources/{id}": c.source,
		"/sources/{id}/edit": c.editSource, "/sources/{id}/try": c.tryForm,
	}
}

const (
	// shownSources is how many sources the list has, and shownReceived how many received events the page of one.
	shownSources, shownReceived = 100, 20
)

// inbound is the sources, and what they received, filtered as the address says.
func (c *console) inbound(r *request) (view.Page, error) {
	query := r.URL.Query()
	shown := view.Inbound{Filter: view.InboundFilter{
		SourceID: query.Get("source_id"), Type: query.Get("type"), Since: query.Get("since"), Until: query.Get("until"), Statuses: query["status"],
	}}
	filter := models.InboundFilter{SourceIDs: values(query, "source_id"), Types: values(query, "type")}
	for _, status := range values(query, "status") {
		filter.Statuses = append(filter.Statuses, models.InboundStatus(status))
	}
	var err error
	if filter.Since, filter.Until, err = span(query); err != nil {
		return view.Page{}, err
	}
	sources, more, err := c.Service.ListSources(r.Context(), r.who, models.Page{Limit: shownSources})
	if err != nil {
		return view.Page{}, err
	}
	shown.Sources, shown.MoreSources = sources, more.Next != ""
	var beside models.Cursors
	if shown.Events, beside, err = c.Service.ListInboundEvents(r.Context(), r.who, filter, pageOf(query)); err != nil {
		return view.Page{}, err
	}
	shown.Pager = pagerOf(r, beside)
	return view.Page{Title: "Inbound", Section: "inbound", Live: []string{"inbound_events", "audit"}, Body: view.InboundPage(shown)}, nil
}

// inboundEvent is one received event with what came of it.
func (c *console) inboundEvent(r *request) (view.Page, error) {
	inbound, deliveries, err := c.Service.GetInboundEvent(r.Context(), r.who, r.PathValue("id"))
	if err != nil {
		return view.Page{}, err
	}
	shown := view.InboundEvent{InboundEvent: inbound, Deliveries: deliveries, WorkflowURL: c.WorkflowURL(inbound.ID, "")}
	source, _, err := c.Service.GetSource(r.Context(), r.who, inbound.SourceID)
	if err != nil && !errors.Is(err, models.ErrNotFound) { // it may be deleted
		return view.Page{}, err
	}
	shown.SourceName = source.Name
	live := []string{inbound.ID}
	if inbound.EventID != "" {
		live = append(live, inbound.EventID)
	}
	return view.Page{
		Title: inbound.Type, Section: "inbound", Back: "/inbound", BackTitle: "Inbound", Live: live, Body: view.InboundEventPage(shown),
	}, nil
}

// inboundBody is the body of a received event as it came.
func (c *console) inboundBody(w http.ResponseWriter, r *request) {
	inbound, _, err := c.Service.GetInboundEvent(r.Context(), r.who, r.PathValue("id"))
	if err != nil {
		c.fail(w, r, err)
		return
	}
	sendFile(w, inbound.ID+".txt", inbound.Body)
}

// source is one with what it received and refused.
func (c *console) source(r *request) (view.Page, error) {
	source, rejections, err := c.Service.GetSource(r.Context(), r.who, r.PathValue("id"))
	if err != nil {
		return view.Page{}, err
	}
	shown := view.Source{Source: source, URL: c.PublicURL + "/webhooks/" + source.ID, Rejections: rejections}
	filter := models.InboundFilter{SourceIDs: []string{source.ID}}
	if shown.Events, _, err = c.Service.ListInboundEvents(r.Context(), r.who, filter, models.Page{Limit: shownReceived}); err != nil {
		return view.Page{}, err
	}
	return view.Page{
		Title: source.Name, Section: "inbound", Back: "/inbound", BackTitle: "Inbound", Live: []string{source.ID}, Body: view.SourcePage(shown),
	}, nil
}

// newSource asks for the provider first, and then for what its scheme needs.
func (c *console) newSource(r *request) (view.Page, error) {
	query := r.URL.Query()
	form := view.SourceForm{Scheme: query.Get("scheme"), Providers: service.Providers(), OwnerID: query.Get("owner_id")}
	if form.Scheme != "" && !form.Known() {
		return view.Page{}, errNoPage
	}
	return view.Page{Title: "Create a source", Section: "inbound", Back: "/inbound", BackTitle: "Inbound", Body: view.SourceFormPage(form)}, nil
}

func (c *console) editSource(r *request) (view.Page, error) {
	source, _, err := c.Service.GetSource(r.Context(), r.who, r.PathValue("id"))
	if err != nil {
		return view.Page{}, err
	}
	form := view.SourceForm{Scheme: source.Scheme, Providers: service.Providers(), Source: &source}
	return view.Page{
		Title: "Edit a source", Section: "inbound", Back: "/sources/" + source.ID, BackTitle: source.Name, Body: view.SourceFormPage(form),
	}, nil
}

// tryForm asks for a request to judge.
func (c *console) tryForm(r *request) (view.Page, error) {
	source, _, err := c.Service.GetSource(r.Context(), r.who, r.PathValue("id"))
	if err != nil {
		return view.Page{}, err
	}
	return tryPage(view.Try{Source: source}), nil
}

func tryPage(of view.Try) view.Page {
	return view.Page{
		Title: "Try a request", Section: "inbound", Back: "/sources/" + of.Source.ID, BackTitle: of.Source.Name, Body: view.TryPage(of),
	}
}

// tryRequest judges a request that was pasted. Nothing is stored.
func (c *console) tryRequest(r *request) (view.Page, error) {
	r.Body = http.MaxBytesReader(nil, r.Body, maxForm)
	shown := view.Try{Head: r.PostFormValue("head"), Body: r.PostFormValue("body")}
	header, body, fault := requestOf(shown.Head, shown.Body)
	source, tried, err := c.Service.TryRequest(r.Context(), r.who, r.PathValue("id"), header, []byte(body))
	if err != nil {
		return view.Page{}, err
	}
	shown.Source, shown.Fault = source, fault
	if fault == "" {
		shown.Tried = &tried
	}
	return tryPage(shown), nil
}

// requestLine begins a whole request, and statusMarks what curl -v and others put before its lines.
var (
	requestLine = regexp.MustCompile(`^[A-Z]+ \S+( HTTP/[0-9.]+)?$`)
	statusMarks = "> "
)

// requestOf reads a request that was pasted: its headers, with the body behind an empty line unless that is given. Forms come
// with other line breaks than what was pasted.
func requestOf(head, body string) (header http.Header, _, fault string) {
	head, rest, _ := strings.Cut(strings.ReplaceAll(head, "\r\n", "\n"), "\n\n")
	if body == "" {
		body = rest
	}
	header = http.Header{}
	for line := range strings.Lines(head) {
		line = strings.TrimSpace(strings.TrimPrefix(line, statusMarks))
		if line == "" || len(header) == 0 && requestLine.MatchString(line) {
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if name = strings.TrimSpace(name); !ok || !httpguts.ValidHeaderFieldName(name) {
			return nil, body, "A line is no header: expected a name, a colon and a value."
		}
		header.Add(name, strings.TrimSpace(value))
	}
	if len(header) == 0 {
		return nil, body, "Paste the headers too: the signature is one of them."
	}
	return header, body, ""
}
