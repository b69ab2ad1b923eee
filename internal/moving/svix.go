package moving

import "strings"

// svixEndpoint is one endpoint with what Svix tells of it in three answers, and its application.
type svixEndpoint struct {
	Application struct {
		ID       string            `json:"id"`
		UID      string            `json:"uid"`
		Name     string            `json:"name"`
		Metadata map[string]string `json:"metadata"`
	} `json:"application"`
	Endpoint struct {
		ID           string            `json:"id"`
		UID          string            `json:"uid"`
		URL          string            `json:"url"`
		Description  string            `json:"description"`
		Disabled     bool              `json:"disabled"`
		FilterTypes  []string          `json:"filterTypes"`
		Channels     []string          `json:"channels"`
		Metadata     map[string]string `json:"metadata"`
		RateLimit    float64           `json:"rateLimit"`
		ThrottleRate float64           `json:"throttleRate"`
	} `json:"endpoint"`
	Secret struct {
		Key string `json:"key"`
	} `json:"secret"`
	Headers struct {
		Headers   map[string]string `json:"headers"`
		Sensitive []string          `json:"sensitive"`
	} `json:"headers"`
}

// readSvix reads one object for each endpoint: {"application", "endpoint", "secret", "headers"}, each as Svix answers it.
func readSvix(f *file, choices Choices) ([]Endpoint, error) {
	return readEach(f, choices, svix, "data")
}

func svix(e *Endpoint, of value, choices Choices) error {
	var in svixEndpoint
	if err := of.into(&in); err != nil {
		return err
	}
	e.Owner = Owner{
		ExternalID: first(in.Application.UID, in.Application.ID),
		Fields:     ownerFields(first(in.Application.Name, in.Application.UID, in.Application.ID), in.Application.Metadata),
	}
	e.ID = first(in.Endpoint.UID, in.Endpoint.ID)
	e.Webhook = map[string]any{
		"url": in.Endpoint.URL, "description": in.Endpoint.Description, "events": orAll(in.Endpoint.FilterTypes),
		"secret": svixSecret(in.Secret.Key), "format": "raw", "active": !in.Endpoint.Disabled,
	}
	e.setRate(max(in.Endpoint.ThrottleRate, in.Endpoint.RateLimit), 1)
	e.setMetadata(in.Endpoint.Metadata)
	e.setHeaders(in.Headers.Headers)
	e.sign(choices.Signature, nil)
	if len(in.Headers.Sensitive) > 0 {
		e.hold("Svix does not tell the values of the headers %s: set them", strings.Join(in.Headers.Sensitive, ", "))
	}
	if len(in.Endpoint.Channels) > 0 {
		e.Webhook["filter"] = channelFilter(in.Endpoint.Channels)
		e.note("its channels have become a filter over the metadata of events")
	}
	return nil
}

// channelFilter lets events pass whose metadata names one of the channels.
func channelFilter(channels []string) string {
	texts := make([]string, len(channels))
	for i, channel := range channels {
		texts[i] = celText(channel)
	}
	return `"channel" in metadata && metadata["channel"] in [` + strings.Join(texts, ", ") + "]"
}

// svixSecret writes whsec_ before a secret that is only base64: Svix takes both for the same.
func svixSecret(key string) string {
	if key == "" || strings.HasPrefix(key, "whsec_") {
		return key
	}
	return "whsec_" + key
}
