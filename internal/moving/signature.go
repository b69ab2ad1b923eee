package moving

import "maps"

// sign has the webhook send a further signature header, made with the endpoint's own secret, for receivers that verify the
// older form. The one that was chosen goes before the system's; an empty one is none.
func (e *Endpoint) sign(chosen, usual map[string]any) {
	form := usual
	if chosen != nil {
		form = chosen
	}
	if len(form) == 0 {
		return
	}
	signature := maps.Clone(form)
	signature["secret"] = e.Webhook["secret"]
	if signature["scheme"] == nil {
		signature["scheme"] = "hmac"
	}
	e.Webhook["signatures"] = []any{signature}
}
