package service

import (
	"context"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// SourcePatch changes a source. Secret and Secrets replace all secrets; null is the default of a setting.
type SourcePatch struct {
	Name, Scheme, Secret, EventPrefix  Patch[string]
	Secrets                            Patch[[]string]
	Broadcast, Active                  Patch[bool]
	Tolerance                          Patch[Duration]
	Header, Prefix, Encoding, Hash     Patch[string]
	IDHeader, IDField                  Patch[string]
	TypeHeader, TypeField, VerifyToken Patch[string]
}

// UpdateSource changes a source.
func (s *Service) UpdateSource(ctx context.Context, who Caller, id string, patch SourcePatch) (models.Source, error) {
	source, err := load(ctx, who, typeid.KindSource, id, func(ctx context.Context, scope models.Scope, id string) (models.Source, error) {
		return s.store.UpdateSource(ctx, scope, id, func(source *models.Source) ([]string, error) {
			return s.patchSource(who, source, patch)
		})
	})
	if err == nil {
		s.audit(ctx, who, "update-source", source.ID, source.OwnerID)
	}
	return source, err
}

// patchSource changes a source by the patch and returns its new secrets, nil to keep them, or says what is wrong with
// the source as it would be.
func (s *Service) patchSource(who Caller, source *models.Source, patch SourcePatch) ([]string, error) {
	var wrong faults
	wrong.broadcast(who, *source)
	if patch.Name.Set {
		source.Name = tidy(patch.Name.Value)
		wrong.sourceName(source.Name)
	}
	patch.Broadcast.to(&source.Broadcast)
	if patch.Broadcast.Set {
		wrong.broadcast(who, *source)
	}
	wrong.active(patch.Active)
	patch.Active.to(&source.Active)
	settings := patch.settings(source, &wrong)
	if patch.EventPrefix.to(&source.EventPrefix); source.EventPrefix == "" && patch.EventPrefix.Null {
		source.EventPrefix = source.Scheme
	}
	wrong.eventPrefix(source.EventPrefix)
	if patch.Secret.Set || patch.Secrets.Set {
		secrets := secretsOf(patch.Secret.Value, patch.Secrets.Value)
		wrong.scheme(*source, secrets)
		return textsOf(secrets), wrong.err()
	}
	if settings { // settings that are older than their rules do not keep anyone from changing something else
		texts, err := s.store.SourceSecrets(*source)
		if err != nil {
			return nil, err
		}
		wrong.scheme(*source, secretsOf("", texts))
	}
	return nil, wrong.err()
}

// settings changes the settings of a source's scheme, and says whether the patch has any.
func (patch SourcePatch) settings(source *models.Source, wrong *faults) (changed bool) {
	options := &source.Options
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
