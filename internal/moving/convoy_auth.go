package moving

// convoyAuth is how Convoy says who it is.
type convoyAuth struct {
	Type   string `json:"type"`
	APIKey struct {
		Name  string `json:"header_name"`
		Value string `json:"header_value"`
	} `json:"api_key"`
	Basic struct {
		Username string `json:"username"`
		Password string `json:"password"`
	} `json:"basic_auth"`
	OAuth2 struct {
		URL          string `json:"url"`
		ClientID     string `json:"client_id"`
		ClientSecret string `json:"client_secret"`
		Type         string `json:"authentication_type"`
		Scope        string `json:"scope"`
		Audience     string `json:"audience"`
	} `json:"oauth2"`
}

// convoyAuth carries over how the receiver knows the sender, beside the signature.
func (e *Endpoint) convoyAuth(endpoint convoyEndpoint) {
	auth := endpoint.Authentication
	switch auth.Type {
	case "":
	case "api_key":
		e.setHeader(auth.APIKey.Name, auth.APIKey.Value)
	case "basic_auth":
		e.Webhook["auth"] = map[string]any{"type": "basic", "username": auth.Basic.Username, "password": auth.Basic.Password}
	case "oauth2":
		if auth.OAuth2.Type != "shared_secret" {
			e.hold("its OAuth2 client has no shared secret: set auth")
			break
		}
		set := map[string]any{
			"type": "oauth2", "token_url": auth.OAuth2.URL, "client_id": auth.OAuth2.ClientID, "client_secret": auth.OAuth2.ClientSecret,
		}
		e.Webhook["auth"] = set
		if auth.OAuth2.Scope != "" {
			set["scopes"] = splitList(auth.OAuth2.Scope)
		}
		if auth.OAuth2.Audience != "" {
			set["audience"] = auth.OAuth2.Audience
		}
	default:
		e.hold("its authentication %q is not known: set headers or auth", auth.Type)
	}
	if certificate := endpoint.ClientCertificate; certificate.Certificate != "" || certificate.Key != "" {
		e.Webhook["tls"] = map[string]any{"certificate": certificate.Certificate, "key": certificate.Key}
	}
}
