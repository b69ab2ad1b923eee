package service

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/postrider/postrider/models"
)

// Bounds of a webhook's further signatures.
const (
	maxSignatures    = 3
	maxSignatureText = 255
)

// SignatureSetting describes a further signature header of a webhook.
type SignatureSetting struct {
	Header, Scheme, Hash, Encoding, Prefix, Signed, TimestampHeader, IDHeader string
	// Secret keys the HMAC; when empty, that of the signature which the webhook has in the same header already.
	Secret string
	// SecretEncoding says what the secret's characters stand for: base64, or text when empty.
	SecretEncoding string
}

// signatures checks a webhook's further signatures and returns them as they are stored. before are those that it has.
func (f *faults) signatures(settings []SignatureSetting, before []models.FurtherSignature) []models.FurtherSignature {
	const location = "signatures"
	if len(settings) > maxSignatures {
		f.add(location, fmt.Sprintf("expected at most %d, not %d", maxSignatures, len(settings)))
		return nil
	}
	signatures := make([]models.FurtherSignature, len(settings))
	seen := map[string]bool{}
	for i, setting := range settings {
		place := fmt.Sprintf("%s[%d].", location, i)
		signatures[i] = f.signature(place, setting, before)
		for _, name := range signatures[i].Headers() {
			lower := strings.ToLower(name)
			if seen[lower] {
				f.add(place+"header", "the header "+name+" is named twice among the signatures")
			}
			seen[lower] = true
		}
	}
	return signatures
}

func (f *faults) signature(place string, in SignatureSetting, before []models.FurtherSignature) models.FurtherSignature {
	made := models.FurtherSignature{
		Header: in.Header, Hash: in.Hash, Encoding: in.Encoding, Prefix: in.Prefix, Signed: in.Signed,
		TimestampHeader: in.TimestampHeader, IDHeader: in.IDHeader, Secret: in.Secret,
		SecretEncoding: in.SecretEncoding,
	}
	f.signatureHeader(place+"header", in.Header)
	for _, header := range []struct{ location, name string }{{"timestamp_header", in.TimestampHeader}, {"id_header", in.IDHeader}} {
		if header.name != "" {
			f.signatureHeader(place+header.location, header.name)
		}
	}
	f.oneOf(place+"scheme", in.Scheme, "hmac")
	f.oneOf(place+"hash", in.Hash, models.HashSHA256, models.HashSHA512, models.HashSHA1)
	f.oneOf(place+"encoding", in.Encoding, models.EncodingHex, models.EncodingBase64)
	f.signatureTemplates(place, in)
	same := slices.IndexFunc(before, func(s models.FurtherSignature) bool { return strings.EqualFold(s.Header, in.Header) })
	f.oneOf(place+"secret_encoding", in.SecretEncoding, models.EncodingText, models.EncodingBase64)
	if in.Secret == "" && same >= 0 {
		made.Secret = before[same].Secret
	} else {
		f.signatureSecret(place+"secret", in.Secret)
	}
	if _, ok := made.Key(); !ok && made.Secret != "" {
		f.add(place+"secret_encoding", "the secret is not base64, with or without whsec_ before it")
	}
	return made
}

func (f *faults) signatureHeader(location, name string) {
	lower := strings.ToLower(name)
	switch {
	case !httpguts.ValidHeaderFieldName(name) || len(name) > maxSignatureText:
		f.add(location, "expected the name of a header: letters, digits and -, at most 255")
	case strings.Contains(name, "_"):
		f.add(location, "expected a name without _: many servers take it for -")
	case reserved(lower) != "":
		f.add(location, reserved(lower))
	}
}

// oneOf checks a setting that has few values; an empty one is the first.
func (f *faults) oneOf(location, value string, values ...string) {
	if value != "" && !slices.Contains(values, value) {
		f.add(location, "expected one of "+strings.Join(values, ", "))
	}
}

func (f *faults) signatureTemplates(place string, in SignatureSetting) {
	if !isHeaderText(in.Prefix) || len(in.Prefix) > maxSignatureText {
		f.add(place+"prefix", "expected visible ASCII characters, at most 255, and no blank at the beginning")
	} else if unknownToken(in.Prefix, models.TokenTimestamp, models.TokenID) {
		f.add(place+"prefix", "expected no braces but those of {timestamp} and {id}")
	}
	signed := in.Signed
	switch {
	case signed == "":
	case len(signed) > maxSignatureText || strings.ContainsFunc(signed, func(r rune) bool { return r < ' ' || r > '~' }):
		f.add(place+"signed", "expected visible ASCII characters, at most 255")
	case unknownToken(signed, models.TokenBody, models.TokenTimestamp, models.TokenID):
		f.add(place+"signed", "expected no braces but those of {body}, {timestamp} and {id}")
	case strings.Count(signed, models.TokenBody) != 1:
		f.add(place+"signed", "expected {body} once, such as {timestamp}.{body}: what is signed holds the body")
	}
}

// unknownToken says that a template has braces that are not of one of the tokens.
func unknownToken(template string, tokens ...string) bool {
	for _, token := range tokens {
		template = strings.ReplaceAll(template, token, "")
	}
	return strings.ContainsAny(template, "{}")
}

func (f *faults) signatureSecret(location, secret string) {
	switch fault := endFault(secret); {
	case secret == "":
		f.add(location, "expected the secret that the receiver verifies with")
	case strings.Contains(secret, Masked):
		f.add(location, Masked+" stands for a secret that is not shown: give the secret, or leave it out to keep it as it is")
	case fault != "":
		f.add(location, fault)
	case len(secret) < minSourceSecret || len(secret) > maxSourceSecret || strings.ContainsFunc(secret, isControl) || !storable(secret):
		f.add(location, fmt.Sprintf("expected %d to %d bytes of text without control characters", minSourceSecret, maxSourceSecret))
	}
}
