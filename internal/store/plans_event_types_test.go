package store_test

import "github.com/postrider/postrider/models"

// eventTypeCalls are those of the catalogue.
func (p *plansRig) eventTypeCalls() map[string]func() {
	ctx, s := p.t.Context(), p.store
	return map[string]func(){
		"CreateEventType": func() { p.ok(s.CreateEventType(ctx, &models.EventType{Name: "plan.made"})) },
		"DeleteEventType": func() {
			p.ok(s.CreateEventType(ctx, &models.EventType{Name: "plan.gone"}))
			p.ok(s.DeleteEventType(ctx, "plan.gone"))
		},
		"EventType": func() { _, err := s.EventType(ctx, "plan.made"); p.ok(err) },
		"EventTypes": func() {
			for _, whole := range []bool{false, true} {
				p.pages(func(page models.Page) models.Cursors {
					_, cursors, err := s.EventTypes(ctx, whole, page)
					p.ok(err)
					return cursors
				})
			}
		},
		"PublicEventTypes": func() { _, err := s.PublicEventTypes(ctx); p.ok(err) },
		"PutEventType": func() {
			for range 2 { // makes it, then changes it
				_, _, err := s.PutEventType(ctx, "plan.put", func(of *models.EventType) error {
					of.Description += "x"
					return nil
				})
				p.ok(err)
			}
		},
	}
}
