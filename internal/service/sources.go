package service

import (
	"context"
	"errors"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

type sourceStore interface {
	CreateSource(ctx context.Context, source *models.Source, secrets []string) error
	Source(ctx context.Context, scope models.Scope, id string) (models.Source, error)
	SourceOf(ctx context.Context, inbound models.InboundEvent) (models.Source, error)
	Sources(ctx context.Context, scope models.Scope, page models.Page) ([]models.Source, models.Cursors, error)
	SourceSecrets(source models.Source) ([]string, error)
	UpdateSource(ctx context.Context, scope models.Scope, id string, change func(*models.Source) ([]string, error)) (models.Source, error)
	DeleteSource(ctx context.Context, scope models.Scope, id string) error
	Rejections(ctx context.Context, sourceID string) ([]models.Rejection, error)
}

// NewSource describes a source that is to be made.
type NewSource struct {
	// OwnerID is for administrators: whose source it is; the default owner's when empty.
	OwnerID string
	Name    string
	Scheme  string
	// Secret and Secrets are the provider's; any of them may have signed.
	Secret  string
	Secrets []string
	// EventPrefix begins the type of the events that are published; the scheme's name when empty.
	EventPrefix string
	// Broadcast is for administrators: the events reach every owner's webhooks.
	Broadcast bool
	Tolerance Duration
	// Options are the settings of the scheme, but for the tolerance.
	Options models.SourceOptions
}

// CreateSource makes an active source.
func (s *Service) CreateSource(ctx context.Context, who Caller, in NewSource) (models.Source, error) {
	source := models.Source{
		OwnerID: in.OwnerID, Name: tidy(in.Name), Scheme: in.Scheme, EventPrefix: in.EventPrefix, Broadcast: in.Broadcast,
		Options: in.Options, Active: true,
	}
	if source.EventPrefix == "" {
		source.EventPrefix = source.Scheme
	}
	secrets := secretsOf(in.Secret, in.Secrets)
	var wrong faults
	if in.Tolerance.Set {
		wrong.tolerance(&source, in.Tolerance)
	}
	wrong.sourceName(source.Name)
	wrong.eventPrefix(source.EventPrefix)
	wrong.scheme(source, secrets)
	wrong.broadcast(who, source)
	var err error
	if source.OwnerID, err = s.ownerOf(ctx, who, source.OwnerID, &wrong); err != nil {
		return models.Source{}, err
	}
	if err := wrong.err(); err != nil {
		return models.Source{}, err
	}
	err = s.store.CreateSource(withQuota(ctx, who, s.quotas.Sources), &source, textsOf(secrets))
	if errors.Is(err, models.ErrNotFound) {
		err = invalid("owner_id", unknownOwner)
	}
	if err != nil {
		return models.Source{}, err
	}
	s.audit(ctx, who, "create-source", source.ID, source.OwnerID)
	return source, nil
}

// ListSources returns a page of sources with the cursors of those beside.
func (s *Service) ListSources(ctx context.Context, who Caller, page models.Page) ([]models.Source, models.Cursors, error) {
	return s.store.Sources(ctx, who.scope(), page)
}

// GetSource returns a source with the last requests that it refused, newest first.
func (s *Service) GetSource(ctx context.Context, who Caller, id string) (models.Source, []models.Rejection, error) {
	source, err := load(ctx, who, typeid.KindSource, id, s.store.Source)
	if err != nil {
		return models.Source{}, nil, err
	}
	rejections, err := s.store.Rejections(ctx, source.ID)
	return source, rejections, err
}

// DeleteSource ends a source. What it received is still processed.
func (s *Service) DeleteSource(ctx context.Context, who Caller, id string) error {
	_, err := load(ctx, who, typeid.KindSource, id, func(ctx context.Context, scope models.Scope, id string) (struct{}, error) {
		return struct{}{}, s.store.DeleteSource(ctx, scope, id)
	})
	if err == nil {
		s.audit(ctx, who, "delete-source", id, "")
	}
	return err
}
