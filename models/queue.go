package models

// OnFailure says what the queue of an ordered webhook does when its first delivery is given up.
type OnFailure string

// What it can do. Wait: the queue stands until that delivery has arrived after all, or someone cancels it. Skip: it
// goes on.
const (
	OnFailureWait OnFailure = "wait"
	OnFailureSkip OnFailure = "skip"
)

// Queueing says whether a webhook gets its deliveries one after the other, in the order in which they were published.
type Queueing struct {
	Ordered   bool
	OnFailure OnFailure
}

// Queued says that the delivery stands in the queue of its ordered webhook.
func (d Delivery) Queued() bool { return d.Place != nil }

// StandsAlone says that the attempt need not wait for other deliveries.
func (j Job) StandsAlone() bool { return !j.Webhook.Ordered || !j.Delivery.Queued() }
