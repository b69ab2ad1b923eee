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
		GrantType    string `json:"grant_type"`
		Scope        string `json:"scope"`
		Audience     string `json:"audience"`

		FieldMapping map[string]any `json:"field_mapping"`
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
		e.Webhook["auth"] = object{"basic": object{"username": auth.Basic.Username, "password": auth.Basic.Password}}
	case "oauth2":
		e.convoyOAuth2(auth)
	default:
		e.hold("its authentication %q is not known: set headers or auth", auth.Type)
	}
	if certificate := endpoint.ClientCertificate; certificate.Certificate != "" || certificate.Key != "" {
		e.Webhook["tls"] = object{"certificate": certificate.Certificate, "key": certificate.Key}
	}
}

// convoyOAuth2 carries over a client with a shared secret, which Convoy sends in the body of its requests for tokens.
func (e *Endpoint) convoyOAuth2(auth convoyAuth) {
	in := auth.OAuth2
	switch {
	case in.Type != "shared_secret":
		e.hold("its OAuth2 client has no shared secret: set auth")
		return
	case in.GrantType != "" && in.GrantType != "client_credentials", len(in.FieldMapping) > 0:
		e.hold("its OAuth2 server answers in a form of its own: set auth")
		return
	}
	set := object{
		"token_url": in.URL, "client_id": in.ClientID, "client_secret": in.ClientSecret, "auth_method": "client_secret_post",
	}
	if in.Scope != "" {
		set["scopes"] = splitList(in.Scope)
	}
	if in.Audience != "" {
		set["audience"] = in.Audience
	}
	e.Webhook["auth"] = object{"oauth2": set}
}
