package store_test

import (
	"context"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// idempotentCalls are about calls with an Idempotency-Key.
func (p *plansRig) idempotentCalls() map[string]func() {
	ctx, s, now := p.t.Context(), p.store, p.store.Now()
	return map[string]func(){
		"AnswerInOneCommit": func() {
			for range 2 {
				_, _, err := s.AnswerInOneCommit(ctx, aCall("k"), func(context.Context) (models.Answer, bool) { return models.Answer{Status: 201}, true })
				p.ok(err)
			}
		},
		"BeginCall": func() {
			for _, key := range []string{"k", "new"} {
				call := aCall(key)
				_, err := s.BeginCall(ctx, &call, now)
				p.ok(err)
			}
		},
		"EndCall": func() {
			call := aCall("gone")
			call.ID = typeid.New(typeid.KindCall, now)
			p.ok(s.EndCall(ctx, call, nil))
			p.ok(s.EndCall(ctx, call, &models.Answer{Status: 201}))
		},
	}
}
