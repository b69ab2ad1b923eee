package service

import (
	"slices"
	"strings"
	"time"

	"github.com/postrider/postrider/models"
)

// NewSending says how the requests of a new webhook are made.
type NewSending struct {
	// Timeout bounds an attempt; the installation's time limit unless it is set.
	Timeout Duration
	// Format is how an event becomes a body; the envelope when empty.
	Format string
	// Signing is the kind of secret; HMAC when empty.
	Signing string
	// Signatures are further signature headers.
	Signatures []SignatureSetting
	// Auth and TLS are how requests sign in and what they show and trust in TLS; nil for nothing.
	Auth *AuthSetting
	TLS  *TLSSetting
}

func (in NewSending) apply(webhook *models.Webhook, by judge, wrong *faults) {
	webhook.Signing = wrong.signing(in.Signing)
	if in.Timeout.Set {
		webhook.SetTimeout(wrong.timeout(in.Timeout))
	}
	if in.Format != "" {
		webhook.Format = wrong.format(in.Format)
	}
	in.newCredentials(webhook, by, wrong)
}

// SendingPatch changes how the requests of a webhook are made.
type SendingPatch struct {
	Timeout    Patch[Duration]
	Format     Patch[string]
	Signing    Patch[string]
	Signatures Patch[[]SignatureSetting]
	Auth       Patch[AuthSetting]
	TLS        Patch[TLSSetting]
}

func (patch SendingPatch) apply(webhook *models.Webhook, wrong *faults) {
	if patch.Timeout.Set {
		webhook.SetTimeout(0)
		if !patch.Timeout.Null {
			webhook.SetTimeout(wrong.timeout(patch.Timeout.Value))
		}
	}
	if patch.Format.Set {
		webhook.Format = ""
		if !patch.Format.Null {
			webhook.Format = wrong.format(patch.Format.Value)
		}
	}
	if patch.Signing.Set && wrong.signing(patch.Signing.Value) != webhook.Signing {
		wrong.add("signing", "another kind of signing needs another secret: POST …/rotate-secret with this signing makes both")
	}
}

func (f *faults) timeout(of Duration) time.Duration {
	limit := f.duration("timeout", of, models.MinTimeout, models.MaxTimeout)
	if limit%time.Millisecond != 0 {
		f.add("timeout", "expected whole milliseconds")
	}
	return limit
}

// format checks a format, and returns it as it is stored.
func (f *faults) format(name string) models.Format {
	format := models.Format(name)
	switch {
	case format == models.FormatEnvelope:
		return ""
	case !slices.Contains(models.Formats(), format):
		f.add("format", "expected one of "+joined(models.Formats()))
	}
	return format
}

// joined lists names for a message.
func joined[T ~string](names []T) string {
	texts := make([]string, len(names))
	for i, name := range names {
		texts[i] = string(name)
	}
	return strings.Join(texts, ", ")
}
