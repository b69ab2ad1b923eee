package contract

// ReleasePage asks for a page of the deliveries that wait for a webhook to be told that a setting of it was changed.
type ReleasePage struct {
	WebhookID string `json:"webhook_id"`
	// Retries says that the change is also about those that wait for a retry.
	Retries bool `json:"retries,omitempty"`
	// Status is that of the page's deliveries, After the ID behind which it begins.
	Status string `json:"status,omitempty"`
	After  string `json:"after,omitempty"`
}

// ReleaseSignal is the argument of the signal that a delivery is told by.
type ReleaseSignal struct {
	// Receiver is which of the webhook's receivers is to be called from now on, counted through the changes of URL. One
	// that waits for a retry goes on when its last attempt was made to an earlier one.
	Receiver int `json:"receiver,omitempty"`
}

// ReleaseInput starts a Release: what waits for a webhook is told that a setting was changed.
type ReleaseInput struct {
	ReleasePage
	// Again continues a Release that was told of a further change.
	Again bool `json:"again,omitempty"`
}

// NewReleaseInput is for what waits for a webhook, with what waits for a retry or without.
func NewReleaseInput(webhookID string, retries bool) ReleaseInput {
	return ReleaseInput{ReleasePage: ReleasePage{WebhookID: webhookID, Retries: retries}}
}
