package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/models"
)

// maxBatchBody bounds the body of a batch: 4 MiB.
const maxBatchBody = 4 << 20

// NewBatch is what a publisher says of many events.
type NewBatch struct {
	Events []NewBatchEvent `json:"events" minItems:"1" maxItems:"1000" doc:"Each has a result of its own: what is wrong with one does not keep the others from being published."`
}

// NewBatchEvent is one of many events.
type NewBatchEvent struct {
	NewEvent
	IdempotencyKey string `json:"idempotency_key,omitempty" doc:"As the header Idempotency-Key of a single event."`
}

// BatchResult answers one event of a batch: as a single event is answered, or with the problem.
type BatchResult struct {
	ID         string   `json:"id,omitempty"`
	Deliveries *int     `json:"deliveries,omitempty" doc:"How many webhooks matched."`
	Duplicate  *bool    `json:"duplicate,omitempty" doc:"True when the idempotency key was used before: nothing new was published."`
	Error      *Problem `json:"error,omitempty" doc:"Why this event is not published."`
}

// BatchResults answers a batch.
type BatchResults struct {
	Data []BatchResult `json:"data" doc:"In the order of the events."`
}

type publishBatchInput struct {
	TraceParent string `header:"traceparent" doc:"The caller's place in a distributed trace (W3C Trace Context), of all events."`
	RawBody     []byte `contentType:"application/json"`
}

// batchReader reads batches event by event, so that the wrong ones are known and never all are in memory in another form.
type batchReader struct {
	registry huma.Registry
	// event is the schema of one.
	event *huma.Schema
}

func (s *server) registerBatch(api huma.API, tag string) {
	const path = "/events/batch"
	reader := newBatchReader(api.OpenAPI().Components.Schemas)
	register(s, api, operation{
		ID: "publish-events", Method: http.MethodPost, Path: path, Tag: tag,
		Summary: "Publish up to 1,000 events in one transaction", Status: http.StatusAccepted, MaxBody: maxBatchBody, RawBody: true,
	}, func(ctx context.Context, who service.Caller, in *publishBatchInput) (*Output[BatchResults], error) {
		return s.publishBatch(ctx, who, in, reader)
	})
	// The handler reads the body; the document says what is in it.
	described := api.OpenAPI().Paths["/api"+path].Post.RequestBody.Content["application/json"]
	described.Schema = api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[NewBatch](), true, "")
}

func newBatchReader(registry huma.Registry) batchReader {
	event := registry.SchemaFromRef(registry.Schema(reflect.TypeFor[NewBatchEvent](), true, "").Ref)
	refuseEmpty(event, "publish-events")
	return batchReader{registry, event}
}

func (s *server) publishBatch(ctx context.Context, who service.Caller, in *publishBatchInput, reader batchReader) (*Output[BatchResults], error) {
	end := s.reads.begin(ctx, who.KeyID, largeRead)
	if end == nil {
		return nil, newProblem(http.StatusServiceUnavailable, codeUnavailable,
			"too many large requests are under way; wait for their answers, and come back after the seconds in Retry-After")
	}
	defer end()
	items, err := readBatch(in.RawBody)
	if err != nil {
		return nil, err
	}
	results := make([]BatchResult, len(items))
	var events []models.Event
	var positions []int
	for i, item := range items {
		event, problem := reader.read(item, i)
		if problem != nil {
			results[i].Error = problem
			continue
		}
		events, positions = append(events, event.model(event.IdempotencyKey, in.TraceParent)), append(positions, i)
	}
	outcomes, err := s.Service.PublishAll(ctx, who, events)
	if err != nil {
		return nil, err
	}
	for i, outcome := range outcomes {
		results[positions[i]] = s.batchResult(ctx, outcome, positions[i])
	}
	return &Output[BatchResults]{BatchResults{Data: results}}, nil
}

func (s *server) batchResult(ctx context.Context, outcome models.BatchOutcome, i int) BatchResult {
	var wrong service.FieldsError
	if errors.As(outcome.Err, &wrong) {
		fields := make([]FieldError, len(wrong))
		for n, field := range wrong {
			fields[n] = FieldError{placeOf(i) + field.Location, field.Message}
		}
		return BatchResult{Error: invalidFields(fields...)}
	}
	if outcome.Err != nil {
		return BatchResult{Error: s.fail(ctx, outcome.Err)}
	}
	event := outcome.Published.Event
	return BatchResult{ID: event.ID, Deliveries: &event.DeliveryCount, Duplicate: &outcome.Published.Duplicate}
}

// placeOf is where in a batch's request the fields of its i-th event are.
func placeOf(i int) string { return fmt.Sprintf("body.events[%d].", i) }

// read reads the i-th event of a batch, as the body of a single one is read, but for its data, which may be anything.
func (r batchReader) read(item []byte, i int) (NewBatchEvent, *Problem) {
	var event NewBatchEvent
	place := strings.TrimSuffix(placeOf(i), ".")
	item, data := withoutData(item)
	var value any
	if err := readValue(item, &value); err != nil {
		return event, invalid(place, err.Error())
	}
	path := huma.NewPathBuffer(nil, 0)
	path.Push(place)
	var result huma.ValidateResult
	huma.Validate(r.registry, r.event, path, huma.ModeWriteToServer, value, &result)
	var fields []FieldError
	for _, err := range result.Errors {
		var detail *huma.ErrorDetail
		if errors.As(err, &detail) {
			fields = append(fields, fieldError(detail.Location, detail.Message))
		}
	}
	if len(fields) > 0 {
		return event, invalidFields(fields...)
	}
	if err := readJSON(item, &event); err != nil {
		field := fieldError("body", err.Error())
		return event, invalid(placeOf(i)+strings.TrimPrefix(field.Location, "body."), field.Message)
	}
	event.Data = bytes.Clone(data) // the request's memory is used again
	return event, nil
}
