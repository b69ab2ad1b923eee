package store_test

import (
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// sessionCalls are about who looks at the console, and about what they look for.
func (p *plansRig) sessionCalls() map[string]func() {
	ctx, s, now := p.t.Context(), p.store, p.store.Now()
	return map[string]func(){
		"Changes": func() { _, err := s.Changes(ctx, func(string) bool { return false }); p.ok(err) },
		"CreateSession": func() {
			p.ok(s.CreateSession(ctx, &models.Session{Role: models.RoleRead, KeyHash: []byte("k"), TokenHash: []byte("t"), ExpiresAt: now}))
		},
		"EndPortalSessions": func() { _, err := s.EndPortalSessions(ctx, p.webhook.OwnerID); p.ok(err) },
		"EndSession":        func() { p.ok(s.EndSession(ctx, typeid.New(typeid.KindSession, now))) },
		"OpenLink":          func() { _, _ = s.OpenLink(ctx, "link", "token", now) },
		"Session":           func() { _, _ = s.Session(ctx, typeid.New(typeid.KindSession, now)) },
		"SessionByToken":    func() { _, _ = s.SessionByToken(ctx, "token") },
	}
}
