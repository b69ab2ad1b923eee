package service

import (
	"context"
	"crypto/sha256"
	"strings"
	"time"

	"github.com/postrider/postrider/models"
)

// A call with an Idempotency-Key is made once: whoever repeats it within models.IdempotencyWindow gets the same answer. Keys
// are apart for each owner, for administrators together, and for each operation. Only successes are kept: what failed did
// nothing, and may be tried again with the same key.

type onceStore interface {
	AnswerInOneCommit(ctx context.Context, call models.IdempotentCall, run func(context.Context) (answer models.Answer, keep bool)) (answer models.Answer, before bool, err error)
	BeginCall(ctx context.Context, call *models.IdempotentCall, until time.Time) (*models.Answer, error)
	EndCall(ctx context.Context, call models.IdempotentCall, answer *models.Answer) error
}

// callLease is how long a call may be under way at most, and so how long one is refused whose process died.
const callLease = 2 * time.Minute

// OnceCall is a call that is made once.
type OnceCall struct {
	Operation, Key string
	// Request is all of the request that must be the same when it is repeated.
	Request []byte
	// InOneCommit says that all that the call does is in the database: then it is committed together with the answer, and no
	// crash can come between. Others do something that no transaction holds.
	InOneCommit bool
}

// Once makes a call, unless it was made before: then it returns that answer, and before is true. The function's context is
// that of the call. An answer is kept if it is a success. It is models.ErrCallConflict for another request with the key,
// and models.ErrCallUnderWay while the first one is not answered; one of InOneCommit waits for that instead.
func (s *Service) Once(ctx context.Context, who Caller, of OnceCall, run func(context.Context) models.Answer) (answer models.Answer, before bool, err error) {
	var wrong faults
	if wrong.idempotencyKey(of.Key); wrong.err() != nil {
		return models.Answer{}, false, wrong.err()
	}
	hash := sha256.Sum256(of.Request)
	call := models.IdempotentCall{OwnerID: who.OwnerID, Operation: of.Operation, IdempotencyKey: of.Key, RequestHash: hash[:]}
	if !of.InOneCommit {
		return s.onceInSteps(ctx, call, run)
	}
	return s.store.AnswerInOneCommit(ctx, call, func(ctx context.Context) (models.Answer, bool) {
		answer := run(ctx)
		return answer, success(answer)
	})
}

// onceInSteps claims a call, makes it and keeps its answer.
func (s *Service) onceInSteps(ctx context.Context, call models.IdempotentCall, run func(context.Context) models.Answer) (models.Answer, bool, error) {
	until := s.now().Add(callLease)
	known, err := s.store.BeginCall(ctx, &call, until)
	if err != nil {
		return models.Answer{}, false, err
	}
	if known != nil {
		return *known, true, nil
	}
	var kept *models.Answer
	defer func() { // after a panic too
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), auditTimeout)
		defer cancel()
		if err := s.store.EndCall(ctx, call, kept); err != nil {
			s.logger.ErrorContext(ctx, "the answer to a call with an Idempotency-Key is not kept", "operation", call.Operation, "error", err)
		}
	}()
	answer := run(ctx)
	if success(answer) {
		kept = &answer
	}
	return answer, false, nil
}

func (f *faults) idempotencyKey(key string) {
	if len(key) > maxIdempotencyKey || strings.ContainsFunc(key, notVisibleASCII) {
		f.add("idempotency_key", "expected at most 255 visible ASCII characters")
	}
}

func success(answer models.Answer) bool { return answer.Status >= 200 && answer.Status < 300 }
