package api

import (
	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/models"
)

// WebhookSending shows how the requests of a webhook are made.
type WebhookSending struct {
	Timeout *string `json:"timeout" doc:"How long an attempt may take; null for the installation's time limit, which is 30s unless its operator has set another."`
	Format  string  `json:"format" enum:"envelope,raw,cloudevents,cloudevents-structured" doc:"How an event becomes a body: envelope; raw, the data alone; cloudevents, CloudEvents 1.0 in binary mode; cloudevents-structured."`
}

func sendingObject(w service.Webhook) WebhookSending {
	object := WebhookSending{Format: w.Format.Shown()}
	if limit := w.Timeout(); limit != 0 {
		text := models.FormatDuration(limit)
		object.Timeout = &text
	}
	return object
}

// SendingFields are what a request to create a webhook says of its requests.
type SendingFields struct {
	Timeout *Duration `json:"timeout,omitempty" doc:"How long an attempt may take, headers and body together, from 1s to 60s; the installation's time limit, 30s, when left out."`
	Format  string    `json:"format,omitempty" enum:"envelope,raw,cloudevents,cloudevents-structured" doc:"How an event becomes a body; envelope when left out. raw is the data alone, cloudevents CloudEvents 1.0 in binary mode."`
}

func (in SendingFields) sending() service.NewSending {
	asked := service.NewSending{Format: in.Format}
	if in.Timeout != nil {
		asked.Timeout = in.Timeout.Duration
	}
	return asked
}

// SendingPatch is what a request to change a webhook says of its requests.
type SendingPatch struct {
	Timeout Patch[Duration] `json:"timeout,omitempty" doc:"From 1s to 60s; null for the installation's time limit."`
	Format  Patch[string]   `json:"format,omitempty" doc:"Deliveries that wait get their next attempt in the new format; null for envelope."`
}

func (in SendingPatch) sending() service.SendingPatch {
	return service.SendingPatch{
		Timeout: patchOf(in.Timeout, func(d Duration) service.Duration { return d.Duration }),
		Format:  in.Format.Patch,
	}
}
