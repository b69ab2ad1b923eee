package api

import (
	"cmp"
	"time"

	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/models"
)

// WebhookAuth shows how requests sign in: one of the three.
type WebhookAuth struct {
	Basic  *WebhookBasic  `json:"basic,omitempty"`
	Bearer *WebhookBearer `json:"bearer,omitempty"`
	OAuth2 *WebhookOAuth2 `json:"oauth2,omitempty"`
}

// WebhookBasic is a user name and password, which are not shown.
type WebhookBasic struct {
	Username string `json:"username" doc:"Not shown."`
	Password string `json:"password" doc:"Not shown."`
}

// WebhookBearer is a token, which is not shown.
type WebhookBearer struct {
	Token string `json:"token" doc:"Not shown."`
}

// WebhookOAuth2 says where access tokens come from.
type WebhookOAuth2 struct {
	TokenURL     string   `json:"token_url"`
	ClientID     string   `json:"client_id"`
	ClientSecret string   `json:"client_secret" doc:"Not shown."`
	Scopes       []string `json:"scopes"`
	Audience     string   `json:"audience"`
	AuthMethod   string   `json:"auth_method" enum:"client_secret_basic,client_secret_post"`
}

// WebhookTLS shows a certificate and the authorities that are trusted.
type WebhookTLS struct {
	Certificate OrNull[Certificate] `json:"certificate" doc:"What requests show; null for none. Its key is not shown."`
	CA          []Certificate       `json:"ca" doc:"Trusted in place of the system's authorities; empty for these."`
}

// Certificate tells whose a certificate is and when it ends.
type Certificate struct {
	Subject   string    `json:"subject"`
	Issuer    string    `json:"issuer"`
	ExpiresAt time.Time `json:"expires_at"`
}

func authObject(of *models.Auth) *WebhookAuth {
	if of == nil {
		return nil
	}
	object := &WebhookAuth{}
	switch {
	case of.Basic != nil:
		object.Basic = &WebhookBasic{of.Basic.Username, of.Basic.Password}
	case of.Bearer != nil:
		object.Bearer = &WebhookBearer{of.Bearer.Token}
	case of.OAuth2 != nil:
		object.OAuth2 = &WebhookOAuth2{
			TokenURL: of.OAuth2.TokenURL, ClientID: of.OAuth2.ClientID, ClientSecret: of.OAuth2.ClientSecret,
			Scopes:   append([]string{}, of.OAuth2.Scopes...),
			Audience: of.OAuth2.Audience, AuthMethod: cmp.Or(of.OAuth2.AuthMethod, models.ClientSecretBasic),
		}
	}
	return object
}

func tlsObject(w service.Webhook) *WebhookTLS {
	if w.Credentials.TLS == nil {
		return nil
	}
	certificate, authorities := w.ShownTLS()
	object := &WebhookTLS{CA: objectsOf(authorities, func(c service.CertificateShown) Certificate { return Certificate(c) })}
	if certificate != nil {
		shown := Certificate(*certificate)
		object.Certificate = OrNull[Certificate]{&shown}
	}
	return object
}

// AuthFields say how requests sign in.
type AuthFields struct {
	Basic  *BasicFields  `json:"basic,omitempty"`
	Bearer *BearerFields `json:"bearer,omitempty"`
	OAuth2 *OAuth2Fields `json:"oauth2,omitempty"`
}

// BasicFields are a user name and password.
type BasicFields struct {
	Username *string `json:"username,omitempty"`
	Password *string `json:"password,omitempty" doc:"May be left out of a new one: a key as user name often has none."`
}

// BearerFields are a token.
type BearerFields struct {
	Token *string `json:"token,omitempty" doc:"Without the word Bearer."`
}

// OAuth2Fields describe a token endpoint and its client, for the grant client_credentials.
type OAuth2Fields struct {
	TokenURL     *string   `json:"token_url,omitempty"`
	ClientID     *string   `json:"client_id,omitempty"`
	ClientSecret *string   `json:"client_secret,omitempty"`
	Scopes       *[]string `json:"scopes,omitempty"`
	Audience     *string   `json:"audience,omitempty"`
	AuthMethod   *string   `json:"auth_method,omitempty" enum:"client_secret_basic,client_secret_post" doc:"How the client signs in at the token endpoint; client_secret_basic when left out."`
}

// TLSFields are PEM texts.
type TLSFields struct {
	Certificate Patch[string] `json:"certificate,omitempty" doc:"The client certificate, with the chain to its authority behind it."`
	Key         Patch[string] `json:"key,omitempty" doc:"The certificate's private key, without a passphrase."`
	CA          Patch[string] `json:"ca,omitempty" doc:"Certificates of authorities, trusted in place of the system's."`
}

func (a AuthFields) setting() service.AuthSetting {
	var setting service.AuthSetting
	if a.Basic != nil {
		setting.Basic = &service.BasicSetting{Username: a.Basic.Username, Password: a.Basic.Password}
	}
	if a.Bearer != nil {
		setting.Bearer = &service.BearerSetting{Token: a.Bearer.Token}
	}
	if a.OAuth2 != nil {
		setting.OAuth2 = &service.OAuth2Setting{
			TokenURL: a.OAuth2.TokenURL, ClientID: a.OAuth2.ClientID, ClientSecret: a.OAuth2.ClientSecret, Scopes: a.OAuth2.Scopes,
			Audience: a.OAuth2.Audience, AuthMethod: a.OAuth2.AuthMethod,
		}
	}
	return setting
}

func (t TLSFields) setting() service.TLSSetting {
	return service.TLSSetting{Certificate: t.Certificate.Patch, Key: t.Key.Patch, CA: t.CA.Patch}
}
