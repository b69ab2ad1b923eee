package service

import "github.com/postrider/postrider/models"

// NewOrder says whether deliveries of a new webhook are made one after the other, and what holds them up.
type NewOrder struct {
	Ordered bool
	// OnFailure is wait or skip; wait when empty.
	OnFailure models.OnFailure
}

// OrderPatch changes it.
type OrderPatch struct {
	Ordered   Patch[bool]
	OnFailure Patch[models.OnFailure]
}

func (f *faults) order(in NewOrder) models.Queueing {
	if in.OnFailure == "" {
		in.OnFailure = models.OnFailureWait
	}
	f.onFailure(in.OnFailure)
	return models.Queueing{Ordered: in.Ordered, OnFailure: in.OnFailure}
}

func (f *faults) onFailure(onFailure models.OnFailure) {
	if onFailure != models.OnFailureWait && onFailure != models.OnFailureSkip {
		f.add("on_failure", "expected wait or skip")
	}
}

// apply changes the order, or notes what is wrong with the change. Null is the default.
func (p OrderPatch) apply(queueing *models.Queueing, wrong *faults) {
	p.Ordered.to(&queueing.Ordered)
	if !p.OnFailure.Set {
		return
	}
	queueing.OnFailure = models.OnFailureWait
	if !p.OnFailure.Null {
		queueing.OnFailure = p.OnFailure.Value
		wrong.onFailure(queueing.OnFailure)
	}
}
