package service

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/postrider/postrider/signature"
)

// Bounds of a source's secrets: how much work a request can be before anything is known of who sent it.
const (
	maxSourceSecrets = signature.MaxSecrets
	minSourceSecret  = 8
	maxSourceSecret  = 1024
)

// sourceSecret is a secret, and where the request has it.
type sourceSecret struct{ location, text string }

func secretsOf(one string, several []string) []sourceSecret {
	var secrets []sourceSecret
	if one != "" {
		secrets = append(secrets, sourceSecret{"secret", one})
	}
	for i, text := range several {
		secrets = append(secrets, sourceSecret{fmt.Sprintf("secrets[%d]", i), text})
	}
	return secrets
}

func textsOf(secrets []sourceSecret) []string {
	texts := make([]string, len(secrets))
	for i, secret := range secrets {
		texts[i] = secret.text
	}
	return texts
}

func (f *faults) secrets(scheme string, secrets []sourceSecret) {
	switch {
	case len(secrets) == 0:
		f.add("secret", "expected the provider's secret")
		return
	case len(secrets) > maxSourceSecrets:
		f.add("secrets", fmt.Sprintf("expected at most %d secrets, not %d: leave out those that the provider does not sign with any more",
			maxSourceSecrets, len(secrets)))
		return
	}
	for _, secret := range secrets {
		if fault := secretFault(signature.Scheme(scheme), secret.text); fault != "" {
			f.add(secret.location, fault)
		}
	}
}

// secretFault says what is wrong with a secret that can never verify anything; empty when nothing is.
func secretFault(scheme signature.Scheme, secret string) string {
	if fault := endFault(secret); fault != "" {
		return fault
	}
	if fault := formFault(scheme, secret); fault != "" {
		return fault
	}
	if fault := insideFault(scheme, secret); fault != "" {
		return fault
	}
	if len(secret) < minSourceSecret || len(secret) > maxSourceSecret {
		return fmt.Sprintf("expected %d to %d bytes, not %d", minSourceSecret, maxSourceSecret, len(secret))
	}
	return ""
}

// issued are the schemes whose secrets the provider makes up: they have no blanks, and no letters but those of ASCII.
var issued = []signature.Scheme{signature.SchemeStripe, signature.SchemeShopify, signature.SchemeSlack}

// insideFault names a character that no secret of the scheme has: a line that was copied with the next one, for example.
func insideFault(scheme signature.Scheme, secret string) string {
	alien := unicode.IsControl
	if slices.Contains(issued, scheme) {
		alien = notVisibleASCII
	}
	for i, r := range secret {
		switch {
		case !alien(r):
		case isInvisible(r):
			return fmt.Sprintf("has %s inside, behind %d bytes: expected one secret, as the provider shows it", nameOfRune(r), i)
		default:
			return fmt.Sprintf("has %q behind %d bytes: expected the secret as the provider shows it", string(r), i)
		}
	}
	return ""
}

// otherKeys begin what providers give out beside the secret that signs, and what is often taken for it.
var otherKeys = map[signature.Scheme]struct {
	prefixes []string
	says     string
}{
	signature.SchemeGitHub: {
		[]string{"ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"},
		"this is a token for GitHub's API: expected the text in the webhook's field Secret",
	},
	signature.SchemeShopify: {
		[]string{"shpat_", "shpca_", "shppa_", "shpua_"},
		"this is an access token: expected the secret that signs webhooks, which Settings → Notifications → Webhooks shows, or the app's client secret",
	},
	signature.SchemeSlack: {
		[]string{"xoxb-", "xoxp-", "xoxa-", "xoxe-", "xoxe.", "xoxr-", "xoxs-", "xapp-"},
		"this is a token for Slack's API: expected the signing secret, which the app's page Basic Information shows",
	},
	signature.SchemePostrider: {
		[]string{"prk_"},
		"this is an API key: expected the secret of the peer's webhook, which begins with whsec_",
	},
}

// formFault refuses what the scheme's secrets never look like.
func formFault(scheme signature.Scheme, secret string) string {
	if scheme == signature.SchemeStripe && !strings.HasPrefix(secret, "whsec_") {
		return "expected the endpoint's signing secret, which begins with whsec_; keys such as sk_… are for Stripe's API"
	}
	for _, prefix := range otherKeys[scheme].prefixes {
		if strings.HasPrefix(secret, prefix) {
			return otherKeys[scheme].says
		}
	}
	return ""
}
