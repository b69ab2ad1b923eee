package api

import (
	"cmp"

	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/models"
)

// WebhookSending shows how the requests of a webhook are made.
type WebhookSending struct {
	Timeout    *string             `json:"timeout" doc:"How long an attempt may take; null for the installation's time limit, which is 30s unless its operator has set another."`
	Format     string              `json:"format" enum:"envelope,raw,cloudevents,cloudevents-structured" doc:"How an event becomes a body: envelope; raw, the data alone; cloudevents, CloudEvents 1.0 in binary mode; cloudevents-structured."`
	Signing    string              `json:"signing" enum:"hmac,ed25519" doc:"What kind of secret signs."`
	PublicKey  *string             `json:"public_key" doc:"Verifies the signatures of an Ed25519 secret: whpk_ and base64; null for HMAC."`
	Signatures []WebhookSignature  `json:"signatures" doc:"Further signature headers, without their secrets."`
	Auth       OrNull[WebhookAuth] `json:"auth" doc:"How requests sign in; null for not at all."`
	TLS        OrNull[WebhookTLS]  `json:"tls" doc:"What requests show and trust in TLS beyond the usual; null for nothing."`
}

// WebhookSignature is a further signature header.
type WebhookSignature struct {
	Header          string `json:"header"`
	Scheme          string `json:"scheme" enum:"hmac"`
	Hash            string `json:"hash" enum:"sha256,sha512,sha1"`
	Encoding        string `json:"encoding" enum:"hex,base64"`
	Prefix          string `json:"prefix"`
	Signed          string `json:"signed"`
	TimestampHeader string `json:"timestamp_header,omitempty"`
	IDHeader        string `json:"id_header,omitempty"`
	SecretEncoding  string `json:"secret_encoding,omitempty" enum:"text,base64"`
}

func signatureObject(s models.FurtherSignature) WebhookSignature {
	return WebhookSignature{
		Header: s.Header, Scheme: "hmac", Hash: cmp.Or(s.Hash, models.HashSHA256), Encoding: cmp.Or(s.Encoding, models.EncodingHex),
		Prefix: s.Prefix, Signed: cmp.Or(s.Signed, models.TokenBody), TimestampHeader: s.TimestampHeader, IDHeader: s.IDHeader,
		SecretEncoding: s.SecretEncoding,
	}
}

func sendingObject(w service.Webhook) WebhookSending {
	object := WebhookSending{
		Format: w.Format.Shown(), Signing: w.Signing.Shown(), PublicKey: orNull(w.PublicKeys.Present()),
		Signatures: objectsOf(w.Credentials.Signatures, signatureObject),
		Auth:       OrNull[WebhookAuth]{authObject(w.Credentials.Auth)}, TLS: OrNull[WebhookTLS]{tlsObject(w)},
	}
	if limit := w.Timeout(); limit != 0 {
		text := models.FormatDuration(limit)
		object.Timeout = &text
	}
	return object
}

// SendingFields are what a request to create a webhook says of its requests.
type SendingFields struct {
	Timeout    *Duration         `json:"timeout,omitempty" doc:"How long an attempt may take, headers and body together, from 1s to 60s; the installation's time limit, 30s, when left out."`
	Format     string            `json:"format,omitempty" enum:"envelope,raw,cloudevents,cloudevents-structured" doc:"How an event becomes a body; envelope when left out. raw is the data alone, cloudevents CloudEvents 1.0 in binary mode."`
	Signing    string            `json:"signing,omitempty" enum:"hmac,ed25519" doc:"What kind of secret signs; hmac when left out. A given secret for ed25519 is whsk_ and base64."`
	Signatures []NewSignature    `json:"signatures,omitempty" nullable:"true" doc:"At most 3 further signature headers, for receivers that verify another form."`
	Auth       Patch[AuthFields] `json:"auth,omitempty" doc:"How requests sign in: one of basic, bearer and oauth2."`
	TLS        Patch[TLSFields]  `json:"tls,omitempty" doc:"What requests show and trust in TLS."`
}

// NewSignature describes a further signature header.
type NewSignature struct {
	Header          string `json:"header" doc:"The header's name, such as X-Hub-Signature-256."`
	Scheme          string `json:"scheme,omitempty" enum:"hmac"`
	Hash            string `json:"hash,omitempty" enum:"sha256,sha512,sha1" doc:"sha256 when left out."`
	Encoding        string `json:"encoding,omitempty" enum:"hex,base64" doc:"hex when left out."`
	Prefix          string `json:"prefix,omitempty" doc:"Stands before the signature, such as sha256=; {timestamp} and {id} in it are filled in."`
	Signed          string `json:"signed,omitempty" doc:"What is signed; {body} when left out. {timestamp} is in Unix seconds, {id} the delivery's ID."`
	TimestampHeader string `json:"timestamp_header,omitempty" doc:"A header that gets the timestamp alone."`
	IDHeader        string `json:"id_header,omitempty" doc:"A header that gets the delivery's ID."`
	Secret          string `json:"secret,omitempty" doc:"The key, with its characters. In a change it may be left out to keep that of the same header."`
	SecretEncoding  string `json:"secret_encoding,omitempty" enum:"text,base64" doc:"base64: the key is what the secret stands for in base64, behind whsec_ if that is there. text when left out."`
}

func (s NewSignature) setting() service.SignatureSetting { return service.SignatureSetting(s) }

func signatureSettings(list []NewSignature) []service.SignatureSetting {
	return objectsOf(list, NewSignature.setting)
}

func (in SendingFields) sending() service.NewSending {
	asked := service.NewSending{Format: in.Format, Signing: in.Signing, Signatures: signatureSettings(in.Signatures)}
	if in.Auth.Set && !in.Auth.Null {
		auth := in.Auth.Value.setting()
		asked.Auth = &auth
	}
	if in.TLS.Set && !in.TLS.Null {
		tls := in.TLS.Value.setting()
		asked.TLS = &tls
	}
	if in.Timeout != nil {
		asked.Timeout = in.Timeout.Duration
	}
	return asked
}

// SendingPatch is what a request to change a webhook says of its requests.
type SendingPatch struct {
	Timeout    Patch[Duration]       `json:"timeout,omitempty" doc:"From 1s to 60s; null for the installation's time limit."`
	Format     Patch[string]         `json:"format,omitempty" doc:"Deliveries that wait get their next attempt in the new format; null for envelope."`
	Signing    Patch[string]         `json:"signing,omitempty" doc:"As it is; POST …/rotate-secret changes it, together with the secret."`
	Signatures Patch[[]NewSignature] `json:"signatures,omitempty" doc:"The whole list. One without a secret keeps that of the same header; null removes all."`
	Auth       Patch[AuthFields]     `json:"auth,omitempty" doc:"What is left out of the kind that it has stays; another kind takes its place; null removes it."`
	TLS        Patch[TLSFields]      `json:"tls,omitempty" doc:"What is left out stays; null removes it, or all."`
}

func (in SendingPatch) sending() service.SendingPatch {
	return service.SendingPatch{
		Timeout: patchOf(in.Timeout, func(d Duration) service.Duration { return d.Duration }),
		Format:  in.Format.Patch, Signing: in.Signing.Patch, Signatures: patchOf(in.Signatures, signatureSettings),
		Auth: patchOf(in.Auth, AuthFields.setting), TLS: patchOf(in.TLS, TLSFields.setting),
	}
}
