package service

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/http/httpguts"

	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/signature"
)

// Bounds of a source's settings.
const (
	maxToken     = 255
	maxFieldPath = 255
	minTolerance = time.Second
	maxTolerance = 24 * time.Hour
)

func (f *faults) sourceName(name string) {
	if name == "" || utf8.RuneCountInString(name) > 200 || !storable(name) {
		f.add("name", "expected a name of 1 to 200 characters, and no NUL among them")
	} else if fault := unseenFault(name, false); fault != "" {
		f.add("name", fault)
	}
}

// eventPrefix checks that a prefix can begin an event type.
func (f *faults) eventPrefix(prefix string) {
	if models.CheckEventType(prefix) != nil || len(prefix) > 64 {
		f.add("event_prefix", "expected words of letters, digits, _ and - joined by dots, at most 64 characters")
	}
}

// broadcast leaves sources that reach everyone to administrators.
func (f *faults) broadcast(who Caller, source models.Source) {
	if source.Broadcast && !who.Admin() {
		f.add("broadcast", "only an administrator may set up a source whose events reach every owner's webhooks")
	}
}

func (f *faults) tolerance(source *models.Source, tolerance Duration) {
	const location = "tolerance"
	before := len(f.fields)
	length := f.duration(location, tolerance, minTolerance, maxTolerance)
	if length%time.Second != 0 {
		f.add(location, "expected whole seconds: signed timestamps have no parts of them")
	}
	if len(f.fields) == before {
		source.Options.ToleranceSeconds = int(length / time.Second)
	}
}

// scheme checks a source's settings as a whole: that its scheme uses them, and can verify signatures with them.
func (f *faults) scheme(source models.Source, secrets []sourceSecret) {
	before := len(f.fields)
	if !slices.Contains(schemes, signature.Scheme(source.Scheme)) {
		f.add("scheme", fmt.Sprintf("expected one of %s", joinSchemes(schemes)))
		return
	}
	f.unusedSettings(source)
	f.settings(source.Options)
	f.secrets(source.Scheme, secrets)
	if len(f.fields) > before {
		return
	}
	for _, secret := range secrets {
		if _, err := providerOf(source).Verifier([]string{secret.text}, ToleranceOf(source), nil); err != nil {
			f.add(secret.location, strings.TrimPrefix(err.Error(), "signature: new verifier: secret 1 of 1: "))
		}
	}
}

var (
	schemes = []signature.Scheme{
		signature.SchemePostrider, signature.SchemeStandardWebhooks, signature.SchemeStripe, signature.SchemeGitHub,
		signature.SchemeShopify, signature.SchemeSlack, signature.SchemeHMAC,
	}
	// described are the schemes whose signatures, or whose events, are described by a source.
	described = []signature.Scheme{signature.SchemeHMAC}
	placed    = []signature.Scheme{signature.SchemeHMAC, signature.SchemeStandardWebhooks}
	// timestamped are those that sign a time.
	timestamped = []signature.Scheme{
		signature.SchemePostrider, signature.SchemeStandardWebhooks, signature.SchemeStripe, signature.SchemeSlack,
	}
)

// settingUsers are the settings of sources that not every scheme uses.
var settingUsers = []struct {
	name   string
	set    func(models.SourceOptions) bool
	usedBy []signature.Scheme
}{
	{"header", func(o models.SourceOptions) bool { return o.Header != "" }, described},
	{"prefix", func(o models.SourceOptions) bool { return o.Prefix != "" }, described},
	{"encoding", func(o models.SourceOptions) bool { return o.Encoding != "" }, described},
	{"hash", func(o models.SourceOptions) bool { return o.Hash != "" }, described},
	{"id_header", func(o models.SourceOptions) bool { return o.IDHeader != "" }, described},
	{"type_header", func(o models.SourceOptions) bool { return o.TypeHeader != "" }, described},
	{"id_field", func(o models.SourceOptions) bool { return o.IDField != "" }, placed},
	{"type_field", func(o models.SourceOptions) bool { return o.TypeField != "" }, placed},
	{"tolerance", func(o models.SourceOptions) bool { return o.ToleranceSeconds != 0 }, timestamped},
}

// Provider is a scheme that sources can have.
type Provider struct {
	Scheme string
	// Settings are the names of the settings that it uses and others do not, such as header.
	Settings []string
}

// Providers returns all that sources can be made for.
func Providers() []Provider {
	providers := make([]Provider, len(schemes))
	for i, scheme := range schemes {
		providers[i].Scheme = string(scheme)
		for _, setting := range settingUsers {
			if slices.Contains(setting.usedBy, scheme) {
				providers[i].Settings = append(providers[i].Settings, setting.name)
			}
		}
	}
	return providers
}

// unusedSettings refuses what would be ignored.
func (f *faults) unusedSettings(source models.Source) {
	options := source.Options
	for _, setting := range settingUsers {
		if setting.set(options) && !slices.Contains(setting.usedBy, signature.Scheme(source.Scheme)) {
			f.add(setting.name, fmt.Sprintf("scheme %s does not use it: leave it out; it is for %s", source.Scheme, joinSchemes(setting.usedBy)))
		}
	}
	if source.Scheme == string(signature.SchemeHMAC) && options.Header == "" {
		f.add("header", "expected the name of the header with the signature, such as X-Signature")
	}
}

func joinSchemes(list []signature.Scheme) string {
	texts := make([]string, len(list))
	for i, scheme := range list {
		texts[i] = string(scheme)
	}
	return strings.Join(texts, ", ")
}

// settings checks each setting by itself.
func (f *faults) settings(options models.SourceOptions) {
	for _, header := range []struct{ name, value string }{
		{"header", options.Header}, {"id_header", options.IDHeader}, {"type_header", options.TypeHeader},
	} {
		if header.value != "" && (!httpguts.ValidHeaderFieldName(header.value) || len(header.value) > maxToken) {
			f.add(""+header.name, "expected the name of a header: letters, digits and -, at most 255")
		}
	}
	for _, field := range []struct{ name, value string }{{"id_field", options.IDField}, {"type_field", options.TypeField}} {
		if field.value != "" && !isFieldPath(field.value) {
			f.add(""+field.name, "expected the name of a field, or several joined by dots such as event.id, at most 255 characters")
		}
	}
	if !isHeaderText(options.Prefix) || len(options.Prefix) > maxToken {
		f.add("prefix", "expected visible ASCII characters, at most 255, and no blank at the beginning")
	}
	if options.Encoding != "" && options.Encoding != string(signature.EncodingHex) && options.Encoding != string(signature.EncodingBase64) {
		f.add("encoding", "expected hex or base64")
	}
	if options.Hash != "" && options.Hash != string(signature.HashSHA256) && options.Hash != string(signature.HashSHA512) {
		f.add("hash", "expected sha256 or sha512")
	}
	token := options.VerifyToken
	switch fault := endFault(token); {
	case token == Masked:
		f.add("verify_token", Masked+" only stands for it: expected the token itself")
	case len(token) > maxToken || !storable(token):
		f.add("verify_token", "expected at most 255 bytes of UTF-8")
	case fault != "":
		f.add("verify_token", fault)
	}
}

// isFieldPath says whether a text can name a field, or one within others.
func isFieldPath(path string) bool {
	return len(path) <= maxFieldPath && utf8.ValidString(path) && !strings.ContainsFunc(path, unicode.IsControl) &&
		endFault(path) == "" && !slices.Contains(strings.Split(path, "."), "")
}

// isHeaderText says whether a text can begin a header's value.
func isHeaderText(text string) bool {
	return !strings.HasPrefix(text, " ") && !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' })
}
