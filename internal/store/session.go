package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm/clause"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// CreateSession keeps a session, and sets its ID and the time when it was made.
func (s *Store) CreateSession(ctx context.Context, session *models.Session) error {
	session.CreatedAt = s.Now()
	session.ID = typeid.New(typeid.KindSession, session.CreatedAt)
	session.ExpiresAt = session.ExpiresAt.UTC().Truncate(time.Microsecond)
	if session.LinkUntil != nil {
		until := session.LinkUntil.UTC().Truncate(time.Microsecond)
		session.LinkUntil = &until
	}
	if session.Capabilities == nil {
		session.Capabilities = []models.Capability{}
	}
	if err := s.on(ctx).Create(session).Error; err != nil {
		return fmt.Errorf("create session: %w", err)
	}
	return nil
}

// OpenLink begins the session of a link: from now on the token proves it, until it expires. A link that is unknown, was used
// before or has ended is ErrNotFound.
func (s *Store) OpenLink(ctx context.Context, link, token string, expiresAt time.Time) (models.Session, error) {
	var opened []models.Session
	err := s.db.WithContext(ctx).Model(&opened).Clauses(clause.Returning{}).
		Where("link_hash = ? AND token_hash IS NULL AND ended_at IS NULL AND link_until > ?", models.HashAPIKey(link), s.Now()).
		Updates(map[string]any{"token_hash": models.HashAPIKey(token), "expires_at": expiresAt.UTC().Truncate(time.Microsecond)}).Error
	if err == nil && len(opened) == 0 {
		err = models.ErrNotFound
	}
	if err != nil {
		return models.Session{}, fmt.Errorf("open link: %w", err)
	}
	return opened[0], nil
}

// SessionByToken returns the session that a token proves, or ErrNotFound when there is none or it has ended.
func (s *Store) SessionByToken(ctx context.Context, token string) (models.Session, error) {
	var session models.Session
	err := s.db.WithContext(ctx).Where("token_hash = ? AND ended_at IS NULL AND expires_at > ?", models.HashAPIKey(token), s.Now()).
		Take(&session).Error
	if err != nil {
		return models.Session{}, fmt.Errorf("find session: %w", oneRow(err))
	}
	return session, nil
}

// Session returns a session that has not ended, or ErrNotFound.
func (s *Store) Session(ctx context.Context, id string) (models.Session, error) {
	var session models.Session
	if err := s.db.WithContext(ctx).Where("id = ? AND ended_at IS NULL AND expires_at > ?", id, s.Now()).Take(&session).Error; err != nil {
		return models.Session{}, fmt.Errorf("load session: %w", oneRow(err))
	}
	return session, nil
}

// EndSession signs a session out; one that has ended stays so.
func (s *Store) EndSession(ctx context.Context, id string) error {
	err := s.db.WithContext(ctx).Model(&models.Session{}).Where("id = ? AND ended_at IS NULL", id).UpdateColumn("ended_at", s.Now()).Error
	if err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	return nil
}

// EndPortalSessions ends all sessions of an owner in the portal, and the links that were not used yet. It returns how many.
func (s *Store) EndPortalSessions(ctx context.Context, ownerID string) (int64, error) {
	result := s.db.WithContext(ctx).Model(&models.Session{}).Where("owner_id = ? AND portal AND ended_at IS NULL AND expires_at > ?", ownerID, s.Now()).
		UpdateColumn("ended_at", s.Now())
	if result.Error != nil {
		return 0, fmt.Errorf("end portal sessions: %w", result.Error)
	}
	return result.RowsAffected, nil
}
