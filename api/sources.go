package api

import (
	"context"
	"errors"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postrider/postrider/models"
)

// Source is an inbound endpoint: where a provider sends its webhooks to.
type Source struct {
	ID          string `json:"id"`
	OwnerID     string `json:"owner_id"`
	Name        string `json:"name"`
	Scheme      string `json:"scheme" doc:"How the provider signs."`
	URL         string `json:"url" doc:"Where the provider sends to."`
	EventPrefix string `json:"event_prefix" doc:"Begins the type of the events that are published."`
	SourceOptions
	Active    bool      `json:"active" doc:"False while paused: requests get 404, as if there were no such source."`
	Rejected  int64     `json:"rejected" doc:"How many requests were refused."`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// SourceOptions are settings that only some schemes have.
type SourceOptions struct {
	ToleranceSeconds int    `json:"tolerance_seconds,omitempty" minimum:"0" maximum:"86400" doc:"How far a signed timestamp may be off; 300 when left out."`
	Header           string `json:"header,omitempty" doc:"For scheme hmac: the signature's header."`
	Prefix           string `json:"prefix,omitempty" doc:"For scheme hmac: what stands before the signature, such as sha256=."`
	Encoding         string `json:"encoding,omitempty" enum:"hex,base64" doc:"For scheme hmac: hex when left out."`
	Hash             string `json:"hash,omitempty" enum:"sha256,sha512" doc:"For scheme hmac: sha256 when left out."`
	IDHeader         string `json:"id_header,omitempty" doc:"For scheme hmac: the header with the event's ID; a hash of the body when left out."`
	TypeHeader       string `json:"type_header,omitempty" doc:"For scheme hmac: the header with the event's type; the type is event when left out."`
	VerifyToken      string `json:"verify_token,omitempty" maxLength:"255" doc:"Answers hub.challenge requests that name this token, as Meta sends them."`
}

// SourceDetail is a source with the last requests that it refused.
type SourceDetail struct {
	Source
	Rejections []Rejection `json:"rejections" doc:"The last 50 refused requests, newest first."`
}

// Rejection is a request that was refused.
type Rejection struct {
	Reason     string    `json:"reason"`
	RemoteAddr string    `json:"remote_addr"`
	CreatedAt  time.Time `json:"created_at"`
}

type createSourceInput struct {
	Body struct {
		Name        string   `json:"name" minLength:"1" maxLength:"200"`
		Scheme      string   `json:"scheme" enum:"postrider,standard-webhooks,stripe,github,shopify,slack,hmac" doc:"How the provider signs."`
		Secret      string   `json:"secret,omitempty" doc:"The provider's secret."`
		Secrets     []string `json:"secrets,omitempty" doc:"Several secrets, for a rotation: any of them may have signed."`
		EventPrefix string   `json:"event_prefix,omitempty" doc:"Begins the type of the events that are published; the scheme's name when left out."`
		OwnerID     string   `json:"owner_id,omitempty" doc:"For administrators: whose source it is; the owner default when left out."`
		SourceOptions
	}
}

type sourcePath struct {
	ID string `path:"id" doc:"The source's ID."`
}

type updateSourceInput struct {
	ID   string `path:"id" doc:"The source's ID."`
	Body struct {
		Name        Patch[string]   `json:"name,omitempty"`
		Secret      Patch[string]   `json:"secret,omitempty" doc:"Replaces all secrets."`
		Secrets     Patch[[]string] `json:"secrets,omitempty" doc:"Replaces all secrets."`
		EventPrefix Patch[string]   `json:"event_prefix,omitempty"`
		Active      Patch[bool]     `json:"active,omitempty"`
	}
}

func (s *server) registerSources(api huma.API) {
	const tag = "Sources"
	huma.Register(api, operation("create-source", http.MethodPost, "/sources", tag, "Create a source", http.StatusCreated), s.createSource)
	huma.Register(api, operation("list-sources", http.MethodGet, "/sources", tag, "List sources", http.StatusOK), s.listSources)
	huma.Register(api, operation("get-source", http.MethodGet, "/sources/{id}", tag, "Show a source with the requests that it refused", http.StatusOK, 404), s.getSource)
	huma.Register(api, operation("update-source", http.MethodPatch, "/sources/{id}", tag, "Change a source", http.StatusOK, 404), s.updateSource)
	huma.Register(api, operation("delete-source", http.MethodDelete, "/sources/{id}", tag, "Delete a source", http.StatusNoContent, 404), s.deleteSource)
}

func (s *server) sourceObject(m models.Source) Source {
	return Source{
		ID: m.ID, OwnerID: m.OwnerID, Name: m.Name, Scheme: m.Scheme, URL: s.PublicURL + "/webhooks/" + m.ID,
		EventPrefix: m.EventPrefix, SourceOptions: SourceOptions(m.Options), Active: m.Active, Rejected: m.Rejected,
		CreatedAt: m.CreatedAt.UTC(), UpdatedAt: m.UpdatedAt.UTC(),
	}
}

func (s *server) createSource(ctx context.Context, in *createSourceInput) (*Output[Source], error) {
	who := whoAsks(ctx)
	source := models.Source{
		OwnerID: in.Body.OwnerID, Name: in.Body.Name, Scheme: in.Body.Scheme, EventPrefix: in.Body.EventPrefix,
		Options: models.SourceOptions(in.Body.SourceOptions), Active: true,
	}
	if source.EventPrefix == "" {
		source.EventPrefix = source.Scheme
	}
	secrets := in.Body.Secrets
	if in.Body.Secret != "" {
		secrets = append([]string{in.Body.Secret}, secrets...)
	}
	var wrong faults
	wrong.sourceName(source.Name)
	wrong.eventPrefix(source.EventPrefix)
	wrong.scheme(source, secrets)
	source.OwnerID = wrong.ownerOf(who, source.OwnerID)
	if err := wrong.err(); err != nil {
		return nil, err
	}
	err := s.Store.CreateSource(ctx, &source, secrets)
	if errors.Is(err, models.ErrNotFound) {
		err = invalid("body.owner_id", unknownOwner)
	}
	if err != nil {
		return nil, s.fail(ctx, err)
	}
	return &Output[Source]{s.sourceObject(source)}, nil
}

func (f *faults) sourceName(name string) {
	if name == "" || utf8.RuneCountInString(name) > 200 || !storable(name) {
		f.add("body.name", "expected a name of 1 to 200 characters, and no NUL among them")
	}
}

// eventPrefix checks that a prefix can begin an event type.
func (f *faults) eventPrefix(prefix string) {
	if models.CheckEventType(prefix) != nil || len(prefix) > 64 {
		f.add("body.event_prefix", "expected words of letters, digits, _ and - joined by dots, at most 64 characters")
	}
}

// scheme checks that signatures can be verified with a source's settings.
func (f *faults) scheme(source models.Source, secrets []string) {
	if len(secrets) == 0 {
		f.add("body.secret", "expected the provider's secret")
		return
	}
	if source.Scheme != "hmac" && (source.Options.Header != "" || source.Options.IDHeader != "") {
		f.add("body.header", "is only for scheme hmac")
	}
	if _, err := verifierOf(source, secrets, nil); err != nil {
		location := "body.secret"
		if isConfigError(err) {
			location = "body.header"
		}
		f.add(location, err.Error())
	}
}

func (s *server) listSources(ctx context.Context, in *PageQuery) (*ListOutput[Source], error) {
	sources, next, err := s.Store.Sources(ctx, whoAsks(ctx).scope(), in.page())
	if err != nil {
		return nil, s.fail(ctx, err)
	}
	return listOf(sources, next, s.sourceObject), nil
}

func (s *server) getSource(ctx context.Context, in *sourcePath) (*Output[SourceDetail], error) {
	if err := checkID(models.KindSource, "source", in.ID); err != nil {
		return nil, err
	}
	source, err := s.Store.Source(ctx, whoAsks(ctx).scope(), in.ID)
	if err != nil {
		return nil, s.fail(ctx, orNotFound(err, "source", in.ID))
	}
	rejections, err := s.Store.Rejections(ctx, source.ID)
	if err != nil {
		return nil, s.fail(ctx, err)
	}
	return &Output[SourceDetail]{SourceDetail{
		Source: s.sourceObject(source),
		Rejections: listOf(rejections, "", func(r models.Rejection) Rejection {
			return Rejection{Reason: r.Reason, RemoteAddr: r.RemoteAddr, CreatedAt: r.CreatedAt.UTC()}
		}).Body.Data,
	}}, nil
}

func (s *server) updateSource(ctx context.Context, in *updateSourceInput) (*Output[Source], error) {
	if err := checkID(models.KindSource, "source", in.ID); err != nil {
		return nil, err
	}
	source, err := s.Store.UpdateSource(ctx, whoAsks(ctx).scope(), in.ID, in.apply)
	if err != nil {
		return nil, s.fail(ctx, orNotFound(err, "source", in.ID))
	}
	return &Output[Source]{s.sourceObject(source)}, nil
}

// apply changes a source by the patch and returns its new secrets, nil to keep them, or says what is wrong
// with the patch.
func (in *updateSourceInput) apply(source *models.Source) ([]string, error) {
	patch := in.Body
	var wrong faults
	if patch.Name.Set {
		source.Name = patch.Name.Value
		wrong.sourceName(source.Name)
	}
	if patch.EventPrefix.Set {
		source.EventPrefix = patch.EventPrefix.Value
		wrong.eventPrefix(source.EventPrefix)
	}
	if patch.Active.Null {
		wrong.add("body.active", "expected true or false")
	}
	patch.Active.to(&source.Active)
	secrets := patch.Secrets.Value
	if patch.Secret.Set {
		secrets = append([]string{patch.Secret.Value}, secrets...)
	}
	if patch.Secret.Set || patch.Secrets.Set {
		wrong.scheme(*source, secrets)
	}
	return secrets, wrong.err()
}

func (s *server) deleteSource(ctx context.Context, in *sourcePath) (*struct{}, error) {
	if err := checkID(models.KindSource, "source", in.ID); err != nil {
		return nil, err
	}
	if err := s.Store.DeleteSource(ctx, whoAsks(ctx).scope(), in.ID); err != nil {
		return nil, s.fail(ctx, orNotFound(err, "source", in.ID))
	}
	return nil, nil //nolint:nilnil // 204 has no body
}
