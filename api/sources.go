package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postrider/postrider/internal/typeid"
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
	Broadcast   bool   `json:"broadcast" doc:"True when the events reach every owner's webhooks, not the owner's alone."`
	Tolerance   string `json:"tolerance,omitempty" doc:"How far a signed timestamp may be off; 5m when left out."`
	SourceSettings
	Active    bool      `json:"active" doc:"False while paused: requests get 404, as if there were no such source."`
	Rejected  int64     `json:"rejected" doc:"How many requests were refused."`
	Conflicts int64     `json:"conflicts" doc:"How many events came under an ID that another body had before."`
	Failed    int64     `json:"failed" doc:"How many events could not be processed, and were not processed since."`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// SourceSettings are settings that only some schemes have.
type SourceSettings struct {
	Header      string `json:"header,omitempty" doc:"For scheme hmac: the signature's header."`
	Prefix      string `json:"prefix,omitempty" doc:"For scheme hmac: what stands before the signature, such as sha256=."`
	Encoding    string `json:"encoding,omitempty" enum:"hex,base64" doc:"For scheme hmac: hex when left out."`
	Hash        string `json:"hash,omitempty" enum:"sha256,sha512" doc:"For scheme hmac: sha256 when left out."`
	IDHeader    string `json:"id_header,omitempty" doc:"For scheme hmac: the header with the event's ID. It is not signed."`
	IDField     string `json:"id_field,omitempty" doc:"For schemes hmac and standard-webhooks: the field of the body with the event's ID, such as event.id. With scheme hmac and neither, a hash of the body."`
	TypeHeader  string `json:"type_header,omitempty" doc:"For scheme hmac: the header with the event's type."`
	TypeField   string `json:"type_field,omitempty" doc:"For schemes hmac and standard-webhooks: the field of the body with the event's type, such as event.type. With scheme hmac and neither, the type is event."`
	VerifyToken string `json:"verify_token,omitempty" maxLength:"255" doc:"Answers hub.challenge requests that name this token, as Meta sends them. It is never shown again."`
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
		Secrets     []string `json:"secrets,omitempty" doc:"Several secrets, for a rotation: any of them may have signed. At most 5."`
		EventPrefix string   `json:"event_prefix,omitempty" doc:"Begins the type of the events that are published; the scheme's name when left out."`
		OwnerID     string   `json:"owner_id,omitempty" doc:"For administrators: whose source it is; the owner default when left out."`
		Broadcast   bool     `json:"broadcast,omitempty" doc:"For administrators: the events reach every owner's webhooks."`
		Tolerance   Duration `json:"tolerance,omitempty" doc:"How far a signed timestamp may be off, such as 5m, which is the default, or a number of seconds."`
		SourceSettings
	}
}

type sourcePath struct {
	ID string `path:"id" doc:"The source's ID."`
}

type updateSourceInput struct {
	ID   string `path:"id" doc:"The source's ID."`
	Body struct {
		Name        Patch[string]   `json:"name,omitempty"`
		Scheme      Patch[string]   `json:"scheme,omitempty"`
		Secret      Patch[string]   `json:"secret,omitempty" doc:"Replaces all secrets."`
		Secrets     Patch[[]string] `json:"secrets,omitempty" doc:"Replaces all secrets."`
		EventPrefix Patch[string]   `json:"event_prefix,omitempty" doc:"Null for the scheme's name."`
		Broadcast   Patch[bool]     `json:"broadcast,omitempty" doc:"For administrators."`
		Tolerance   Patch[Duration] `json:"tolerance,omitempty" doc:"Null for 5m."`
		Header      Patch[string]   `json:"header,omitempty"`
		Prefix      Patch[string]   `json:"prefix,omitempty"`
		Encoding    Patch[string]   `json:"encoding,omitempty" doc:"Null for hex."`
		Hash        Patch[string]   `json:"hash,omitempty" doc:"Null for sha256."`
		IDHeader    Patch[string]   `json:"id_header,omitempty"`
		IDField     Patch[string]   `json:"id_field,omitempty"`
		TypeHeader  Patch[string]   `json:"type_header,omitempty"`
		TypeField   Patch[string]   `json:"type_field,omitempty"`
		VerifyToken Patch[string]   `json:"verify_token,omitempty" doc:"Null for none."`
		Active      Patch[bool]     `json:"active,omitempty"`
	}
}

func (s *server) registerSources(api huma.API) {
	const tag = "Sources"
	huma.Register(api, operation("create-source", http.MethodPost, "/sources", tag, "Create a source", http.StatusCreated, 409), s.createSource)
	huma.Register(api, operation("list-sources", http.MethodGet, "/sources", tag, "List sources", http.StatusOK), s.listSources)
	huma.Register(api, operation("get-source", http.MethodGet, "/sources/{id}", tag, "Show a source with the requests that it refused", http.StatusOK, 404), s.getSource)
	huma.Register(api, operation("update-source", http.MethodPatch, "/sources/{id}", tag, "Change a source", http.StatusOK, 404), s.updateSource)
	huma.Register(api, operation("delete-source", http.MethodDelete, "/sources/{id}", tag, "Delete a source", http.StatusNoContent, 404), s.deleteSource)
}

func (s *server) sourceObject(m models.Source) Source {
	o := m.Options
	object := Source{
		ID: m.ID, OwnerID: m.OwnerID, Name: m.Name, Scheme: m.Scheme, URL: s.PublicURL + "/webhooks/" + m.ID,
		EventPrefix: m.EventPrefix, Broadcast: m.Broadcast, Active: m.Active,
		SourceSettings: SourceSettings{
			Header: o.Header, Prefix: o.Prefix, Encoding: o.Encoding, Hash: o.Hash,
			IDHeader: o.IDHeader, IDField: o.IDField, TypeHeader: o.TypeHeader, TypeField: o.TypeField,
		},
		Rejected: m.Rejected, Conflicts: m.Conflicts, Failed: m.Failed,
		CreatedAt: m.CreatedAt.UTC(), UpdatedAt: m.UpdatedAt.UTC(),
	}
	if o.ToleranceSeconds > 0 {
		object.Tolerance = models.FormatDuration(toleranceOf(m))
	}
	if len(m.VerifyToken) > 0 || o.VerifyToken != "" {
		object.VerifyToken = hidden
	}
	return object
}

func toleranceOf(source models.Source) time.Duration {
	return time.Duration(source.Options.ToleranceSeconds) * time.Second
}

func (s *server) createSource(ctx context.Context, in *createSourceInput) (*Output[Source], error) {
	who, body := whoAsks(ctx), in.Body
	source := models.Source{
		OwnerID: body.OwnerID, Name: stored(body.Name), Scheme: body.Scheme, EventPrefix: body.EventPrefix, Broadcast: body.Broadcast, Active: true,
		Options: models.SourceOptions{
			Header: body.Header, Prefix: body.Prefix, Encoding: body.Encoding, Hash: body.Hash, VerifyToken: body.VerifyToken,
			IDHeader: body.IDHeader, IDField: body.IDField, TypeHeader: body.TypeHeader, TypeField: body.TypeField,
		},
	}
	if source.EventPrefix == "" {
		source.EventPrefix = source.Scheme
	}
	secrets := secretsOf(body.Secret, body.Secrets)
	var wrong faults
	if body.Tolerance.Set {
		wrong.tolerance(&source, body.Tolerance)
	}
	wrong.sourceName(source.Name)
	wrong.eventPrefix(source.EventPrefix)
	wrong.scheme(source, secrets)
	wrong.broadcast(who, source)
	source.OwnerID = wrong.ownerOf(who, source.OwnerID)
	if err := wrong.err(); err != nil {
		return nil, err
	}
	err := s.Store.CreateSource(within(ctx, s.Quotas.Sources), &source, textsOf(secrets))
	if errors.Is(err, models.ErrNotFound) {
		err = invalid("body.owner_id", unknownOwner)
	}
	if err != nil {
		return nil, s.fail(ctx, err)
	}
	return &Output[Source]{s.sourceObject(source)}, nil
}

func (s *server) listSources(ctx context.Context, in *PageQuery) (*ListOutput[Source], error) {
	sources, next, err := s.Store.Sources(ctx, whoAsks(ctx).scope(), in.page())
	if err != nil {
		return nil, s.fail(ctx, err)
	}
	return listOf(sources, next, s.sourceObject), nil
}

func (s *server) getSource(ctx context.Context, in *sourcePath) (*Output[SourceDetail], error) {
	if err := checkID(typeid.KindSource, "source", in.ID); err != nil {
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
	if err := checkID(typeid.KindSource, "source", in.ID); err != nil {
		return nil, err
	}
	who := whoAsks(ctx)
	source, err := s.Store.UpdateSource(ctx, who.scope(), in.ID, func(source *models.Source) ([]string, error) {
		return s.patchSource(who, source, in)
	})
	if err != nil {
		return nil, s.fail(ctx, orNotFound(err, "source", in.ID))
	}
	return &Output[Source]{s.sourceObject(source)}, nil
}

// patchSource changes a source by the patch and returns its new secrets, nil to keep them, or says what is wrong with
// the source as it would be.
func (s *server) patchSource(who principal, source *models.Source, in *updateSourceInput) ([]string, error) {
	patch := in.Body
	var wrong faults
	wrong.broadcast(who, *source)
	if patch.Name.Set {
		patch.Name.to(&source.Name)
		source.Name = stored(source.Name)
		wrong.sourceName(source.Name)
	}
	patch.Broadcast.to(&source.Broadcast)
	if patch.Broadcast.Set {
		wrong.broadcast(who, *source)
	}
	if patch.Active.Null {
		wrong.add("body.active", "expected true or false")
	}
	patch.Active.to(&source.Active)
	settings := in.patchSettings(source, &wrong)
	if patch.EventPrefix.to(&source.EventPrefix); source.EventPrefix == "" && patch.EventPrefix.Null {
		source.EventPrefix = source.Scheme
	}
	wrong.eventPrefix(source.EventPrefix)
	if patch.Secret.Set || patch.Secrets.Set {
		secrets := secretsOf(patch.Secret.Value, patch.Secrets.Value)
		wrong.scheme(*source, secrets)
		return textsOf(secrets), wrong.err()
	}
	if settings { // what was set before there were rules for it is no fault of a patch of something else
		texts, err := s.Store.SourceSecrets(*source)
		if err != nil {
			return nil, err
		}
		wrong.scheme(*source, secretsOf("", texts))
	}
	return nil, wrong.err()
}

// patchSettings changes the settings of a source's scheme, and says whether the patch has any.
func (in *updateSourceInput) patchSettings(source *models.Source, wrong *faults) (changed bool) {
	patch, options := in.Body, &source.Options
	for _, setting := range []struct {
		to    *string
		value Patch[string]
	}{
		{&source.Scheme, patch.Scheme}, {&options.Header, patch.Header}, {&options.Prefix, patch.Prefix},
		{&options.Encoding, patch.Encoding}, {&options.Hash, patch.Hash},
		{&options.IDHeader, patch.IDHeader}, {&options.IDField, patch.IDField},
		{&options.TypeHeader, patch.TypeHeader}, {&options.TypeField, patch.TypeField},
	} {
		setting.value.to(setting.to)
		changed = changed || setting.value.Set
	}
	if patch.VerifyToken.Set {
		source.VerifyToken, options.VerifyToken = nil, patch.VerifyToken.Value
		changed = true
	}
	if patch.Tolerance.Set {
		options.ToleranceSeconds = 0
		if !patch.Tolerance.Null {
			wrong.tolerance(source, patch.Tolerance.Value)
		}
		changed = true
	}
	return changed
}

func (s *server) deleteSource(ctx context.Context, in *sourcePath) (*struct{}, error) {
	if err := checkID(typeid.KindSource, "source", in.ID); err != nil {
		return nil, err
	}
	if err := s.Store.DeleteSource(ctx, whoAsks(ctx).scope(), in.ID); err != nil {
		return nil, s.fail(ctx, orNotFound(err, "source", in.ID))
	}
	return nil, nil //nolint:nilnil // 204 has no body
}
