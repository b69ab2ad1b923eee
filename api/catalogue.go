package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"html/template"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/models"
)

//go:embed pages/event_types.html.tmpl
var catalogueTemplate string

//go:embed pages/event_types.css
var catalogueStyle string

// cataloguePolicy allows the page its own style, which is named by its hash, and nothing else: no script, no frame, no
// other host.
var cataloguePolicy = func() string {
	hash := sha256.Sum256([]byte(catalogueStyle))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) +
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}()

// Everyone may ask for the pages, as often as they like: each is made again only after a while.
const (
	keptPages = 500
	pageAge   = 5 * time.Second
)

// catalogue shows the event types to everyone. It escapes all that administrators have written.
type catalogue struct {
	service *service.Service
	pages   *template.Template
	kept    *lru.Cache[string, page]
}

type page struct {
	status int
	text   []byte
	madeAt time.Time
}

func (s *server) registerCatalogue(router *gin.Engine) {
	if !s.ShowEventTypes {
		return
	}
	kept, err := lru.New[string, page](keptPages)
	if err != nil {
		panic(err) // for a size below 1
	}
	c := &catalogue{service: s.Service, pages: template.Must(template.New("").Parse(catalogueTemplate)), kept: kept}
	router.GET("/event-types", func(g *gin.Context) { s.showPage(g, "", c.list) })
	router.GET("/event-types/:name", func(g *gin.Context) {
		name := g.Param("name")
		if models.CheckEventType(name) != nil {
			name = "-" // no page of its own is kept for what cannot be a name
		}
		s.showPage(g, name, func(ctx context.Context) (page, error) { return c.one(ctx, name) })
	})
	s.catalogue = c
}

func (s *server) showPage(g *gin.Context, key string, render func(ctx context.Context) (page, error)) {
	now := s.Now()
	shown, ok := s.catalogue.kept.Get(key)
	if age := now.Sub(shown.madeAt); !ok || age < 0 || age >= pageAge {
		var err error
		if shown, err = render(g.Request.Context()); err != nil {
			writeProblem(g, s.fail(g.Request.Context(), err))
			return
		}
		shown.madeAt = now
		s.catalogue.kept.Add(key, shown)
	}
	g.Header("Content-Security-Policy", cataloguePolicy)
	g.Header("Cache-Control", "public, max-age=5")
	g.Data(shown.status, "text/html; charset=utf-8", shown.text)
}

// view is what a page shows.
type view struct {
	Title string
	Style template.CSS

	Groups []typeGroup
	typeView
}

type typeGroup struct {
	Name  string
	Types []typeView
}

type typeView struct {
	Name, Path, Group, Description string
	Deprecated                     bool
	Fields                         []service.SchemaMember
	Example, Schema                string
}

func viewOf(of models.EventType) typeView {
	return typeView{
		Name: of.Name, Path: "/event-types/" + of.Name, Group: of.Group, Description: of.Description, Deprecated: of.Deprecated,
	}
}

func (c *catalogue) render(status int, name string, shown view) (page, error) {
	shown.Style = template.CSS(catalogueStyle)
	var text bytes.Buffer
	err := c.pages.ExecuteTemplate(&text, name, shown)
	return page{status: status, text: text.Bytes()}, err
}

func (c *catalogue) list(ctx context.Context) (page, error) {
	types, err := c.service.PublicEventTypes(ctx)
	if err != nil {
		return page{}, err
	}
	shown := view{Title: "Event types"}
	for _, of := range types {
		if n := len(shown.Groups); n == 0 || shown.Groups[n-1].Name != of.Group {
			shown.Groups = append(shown.Groups, typeGroup{Name: of.Group})
		}
		group := &shown.Groups[len(shown.Groups)-1]
		group.Types = append(group.Types, viewOf(of))
	}
	return c.render(http.StatusOK, "list", shown)
}

func (c *catalogue) one(ctx context.Context, name string) (page, error) {
	of, err := c.service.GetEventType(ctx, name)
	switch {
	case errors.Is(err, models.ErrNotFound):
		return c.render(http.StatusNotFound, "missing", view{Title: "No such event type"})
	case err != nil:
		return page{}, err
	}
	shown := view{Title: of.Name, typeView: viewOf(of)}
	shown.Fields, shown.Example, shown.Schema = service.SchemaMembers(of.Schema), indented(of.Example), indented(of.Schema)
	return c.render(http.StatusOK, "type", shown)
}

func indented(data []byte) string {
	var text bytes.Buffer
	if data == nil || json.Indent(&text, data, "", "  ") != nil {
		return ""
	}
	return text.String()
}
