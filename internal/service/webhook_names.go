package service

import "github.com/postrider/postrider/models"

// WebhookNames are what owners call a webhook by, and keep with it.
type WebhookNames struct {
	// ExternalID is the owner's own name for it; nil for none.
	ExternalID *string
	Metadata   models.Metadata
}

// nameTo gives a webhook its names.
func (n WebhookNames) nameTo(webhook *models.Webhook, wrong *faults) {
	webhook.ExternalID, webhook.Metadata = n.ExternalID, n.Metadata
	wrong.externalID(webhook.ExternalID, webhookPrefix)
	wrong.metadata(webhook.Metadata)
}

// WebhookNamesPatch changes them. Metadata is merged; null removes all.
type WebhookNamesPatch struct {
	ExternalID Patch[string]
	Metadata   Patch[map[string]*string]
}

func (p WebhookNamesPatch) rename(webhook *models.Webhook, wrong *faults) {
	if p.ExternalID.Set {
		toOptional(p.ExternalID, &webhook.ExternalID)
		wrong.externalID(webhook.ExternalID, webhookPrefix)
	}
	if p.Metadata.Set {
		webhook.Metadata = mergedMetadata(webhook.Metadata, p.Metadata)
		wrong.metadata(webhook.Metadata)
	}
}
