package service

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/receiver"
)

// Pasted says what had to be changed in a body for its signature to match: what is pasted is seldom what was sent.
type Pasted string

// What pasting, and what lies between a provider and Postrider, does to bodies.
const (
	PastedAsItIs    Pasted = ""
	PastedLineEnds  Pasted = "line-ends"
	PastedEnd       Pasted = "end"
	PastedFormatted Pasted = "formatted"
)

// TriedRequest says what a source would do with a request.
type TriedRequest struct {
	// Refused is why the source would refuse it; nil when it would not. See RejectedError.
	Refused error
	// Reply is what a request is answered that only tests the endpoint; nil for an event.
	Reply *receiver.Reply
	// ID and ProviderType are the provider's of the event, EventType is that of what is published.
	ID, ProviderType, EventType string
	// Pasted says with what change of the body the signature matches.
	Pasted Pasted
}

// TryRequest says whether a source would accept a request, without receiving it: nothing is stored or counted. A source takes
// nothing while it is paused; the request is judged all the same.
func (s *Service) TryRequest(ctx context.Context, who Caller, id string, header map[string][]string, body []byte) (models.Source, TriedRequest, error) {
	source, err := load(ctx, who, typeid.KindSource, id, s.store.Source)
	if err != nil {
		return models.Source{}, TriedRequest{}, err
	}
	secrets, err := s.store.SourceSecrets(source)
	if err != nil {
		return models.Source{}, TriedRequest{}, err
	}
	tried := s.try(source, secrets, header, body)
	if tried.Refused == nil {
		return source, tried, nil
	}
	for _, one := range unpasted(body) {
		if again := s.try(source, secrets, header, one.body); again.Refused == nil {
			again.Pasted = one.how
			return source, again, nil
		}
	}
	return source, tried, nil
}

func (s *Service) try(source models.Source, secrets []string, header map[string][]string, body []byte) TriedRequest {
	event, reply, err := s.accept(source, secrets, header, body)
	if err != nil || reply != nil {
		return TriedRequest{Refused: err, Reply: reply}
	}
	published, err := source.EventType(event.Type)
	return TriedRequest{Refused: err, ID: event.ID, ProviderType: event.Type, EventType: published}
}

type unpastedBody struct {
	how  Pasted
	body []byte
}

// unpasted are what a body may have been before it was pasted.
func unpasted(body []byte) []unpastedBody {
	lines := bytes.ReplaceAll(body, []byte("\r\n"), []byte("\n"))
	bodies := []unpastedBody{{PastedLineEnds, lines}, {PastedEnd, bytes.TrimRight(lines, "\n")}}
	var compact bytes.Buffer
	if json.Compact(&compact, body) == nil {
		bodies = append(bodies, unpastedBody{PastedFormatted, compact.Bytes()})
	}
	return bodies
}
