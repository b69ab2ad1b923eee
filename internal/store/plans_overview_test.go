package store_test

import (
	"time"

	"github.com/postrider/postrider/models"
)

// overviewCalls are about what the console shows that the API does not.
func (p *plansRig) overviewCalls() map[string]func() {
	ctx, s := p.t.Context(), p.store
	return map[string]func(){
		"Backlog":  func() { p.scopes(func(scope models.Scope) { _, err := s.Backlog(ctx, scope); p.ok(err) }) },
		"Facts":    func() { _, err := s.Facts(ctx); p.ok(err) },
		"Overview": p.overview,
		"UnmatchedEvents": func() {
			p.scopes(func(scope models.Scope) { _, err := s.UnmatchedEvents(ctx, scope, p.from, p.to); p.ok(err) })
		},
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
