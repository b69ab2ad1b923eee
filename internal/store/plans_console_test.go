package store_test

import (
	"time"

	"github.com/postrider/postrider/models"
)

// consoleCalls are about who is signed in to the console, and what it shows that the API does not.
func (p *plansRig) consoleCalls() map[string]func() {
	ctx, s, now := p.t.Context(), p.store, p.store.Now()
	return map[string]func(){
		"Backlog":  func() { p.scopes(func(scope models.Scope) { _, err := s.Backlog(ctx, scope); p.ok(err) }) },
		"Facts":    func() { _, err := s.Facts(ctx); p.ok(err) },
		"Overview": p.overview,
		"UnmatchedEvents": func() {
			p.scopes(func(scope models.Scope) { _, err := s.UnmatchedEvents(ctx, scope, p.from, p.to); p.ok(err) })
		},
		"Changes": func() { _, err := s.Changes(ctx, func(string) bool { return false }); p.ok(err) },
		"CreateSession": func() {
			until := now.Add(time.Hour)
			p.ok(s.CreateSession(ctx, &models.Session{Role: models.RoleFull, LinkHash: models.HashAPIKey("link"), LinkUntil: &until, ExpiresAt: until}))
		},
		"OpenLink":       func() { _, _ = s.OpenLink(ctx, "link", "token", now.Add(time.Hour)) },
		"SessionByToken": func() { _, _ = s.SessionByToken(ctx, "token") },
		"EndSession":     func() { p.ok(s.EndSession(ctx, "ses_x")) },
	}
}

// overview asks for hours that are counted and for some that are not.
func (p *plansRig) overview() {
	counted := models.StatisticsState{ID: 1, CountedUntil: p.to.Add(-2 * time.Hour).Truncate(time.Hour)}
	p.ok(p.db.Save(&counted).Error)
	p.scopes(func(scope models.Scope) {
		_, err := p.store.Overview(p.t.Context(), scope, models.StatisticsFilter{From: p.to.AddDate(0, 0, -30), To: counted.CountedUntil.Add(time.Hour)})
		p.ok(err)
	})
}
