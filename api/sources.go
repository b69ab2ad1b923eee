package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postrider/postrider/internal/service"
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
	register(s, api, operation{
		ID: "create-source", InOneCommit: true, Method: http.MethodPost, Path: "/sources", Tag: tag,
		Summary: "Create a source", Status: http.StatusCreated, Errors: []int{http.StatusConflict},
	}, s.createSource)
	register(s, api, operation{
		ID: "list-sources", Method: http.MethodGet, Path: "/sources", Tag: tag,
		Summary: "List sources", Status: http.StatusOK,
	}, s.listSources)
	register(s, api, operation{
		ID: "get-source", Method: http.MethodGet, Path: "/sources/{id}", Tag: tag,
		Summary: "Show a source with the requests that it refused", Status: http.StatusOK, Errors: []int{http.StatusNotFound},
	}, s.getSource)
	register(s, api, operation{
		ID: "update-source", Method: http.MethodPatch, Path: "/sources/{id}", Tag: tag,
		Summary: "Change a source", Status: http.StatusOK, Errors: []int{http.StatusNotFound},
	}, s.updateSource)
	register(s, api, operation{
		ID: "delete-source", Method: http.MethodDelete, Path: "/sources/{id}", Tag: tag,
		Summary: "Delete a source", Status: http.StatusNoContent, Errors: []int{http.StatusNotFound},
	}, s.deleteSource)
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
		object.Tolerance = models.FormatDuration(service.ToleranceOf(m))
	}
	if len(m.VerifyToken) > 0 || o.VerifyToken != "" {
		object.VerifyToken = service.Masked
	}
	return object
}

func rejectionObject(r models.Rejection) Rejection {
	return Rejection{Reason: r.Reason, RemoteAddr: r.RemoteAddr, CreatedAt: r.CreatedAt.UTC()}
}

func (s *server) createSource(ctx context.Context, who service.Caller, in *createSourceInput) (*Output[Source], error) {
	body := in.Body
	source, err := s.Service.CreateSource(ctx, who, service.NewSource{
		OwnerID: body.OwnerID, Name: body.Name, Scheme: body.Scheme, Secret: body.Secret, Secrets: body.Secrets,
		EventPrefix: body.EventPrefix, Broadcast: body.Broadcast, Tolerance: body.Tolerance.Duration,
		Options: models.SourceOptions{
			Header: body.Header, Prefix: body.Prefix, Encoding: body.Encoding, Hash: body.Hash, VerifyToken: body.VerifyToken,
			IDHeader: body.IDHeader, IDField: body.IDField, TypeHeader: body.TypeHeader, TypeField: body.TypeField,
		},
	})
	return &Output[Source]{s.sourceObject(source)}, err
}

func (s *server) listSources(ctx context.Context, who service.Caller, in *PageQuery) (*ListOutput[Source], error) {
	sources, beside, err := s.Service.ListSources(ctx, who, in.page())
	return listOf(sources, beside, s.sourceObject), err
}

func (s *server) getSource(ctx context.Context, who service.Caller, in *sourcePath) (*Output[SourceDetail], error) {
	source, rejections, err := s.Service.GetSource(ctx, who, in.ID)
	return &Output[SourceDetail]{SourceDetail{
		Source: s.sourceObject(source), Rejections: objectsOf(rejections, rejectionObject),
	}}, err
}

func (s *server) updateSource(ctx context.Context, who service.Caller, in *updateSourceInput) (*Output[Source], error) {
	patch := in.Body
	source, err := s.Service.UpdateSource(ctx, who, in.ID, service.SourcePatch{
		Name: patch.Name.Patch, Scheme: patch.Scheme.Patch, Secret: patch.Secret.Patch, Secrets: patch.Secrets.Patch,
		EventPrefix: patch.EventPrefix.Patch, Broadcast: patch.Broadcast.Patch, Active: patch.Active.Patch,
		Tolerance: patchOf(patch.Tolerance, func(d Duration) service.Duration { return d.Duration }),
		Header:    patch.Header.Patch, Prefix: patch.Prefix.Patch, Encoding: patch.Encoding.Patch, Hash: patch.Hash.Patch,
		IDHeader: patch.IDHeader.Patch, IDField: patch.IDField.Patch, TypeHeader: patch.TypeHeader.Patch, TypeField: patch.TypeField.Patch,
		VerifyToken: patch.VerifyToken.Patch,
	})
	return &Output[Source]{s.sourceObject(source)}, err
}

func (s *server) deleteSource(ctx context.Context, who service.Caller, in *sourcePath) (*struct{}, error) {
	return nil, s.Service.DeleteSource(ctx, who, in.ID)
}
