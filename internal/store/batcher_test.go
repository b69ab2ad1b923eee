package store

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func waitingFor(texts ...string) []*batched[string, int] {
	var calls []*batched[string, int]
	for _, text := range texts {
		calls = append(calls, &batched[string, int]{in: text})
	}
	return calls
}

func texts(batch []*batched[string, int]) (texts []string) {
	for _, call := range batch {
		texts = append(texts, call.in)
	}
	return texts
}

// However many calls one makes, the others have their turns.
func TestBatcherTakesTurns(t *testing.T) {
	t.Parallel()
	b := batcher[string, int]{apart: func(text string) string { return text[:1] }, waiting: waitingFor("a1", "a2", "a3", "b1", "a4", "c1", "b2")}
	var order []string
	for len(b.waiting) > 0 {
		batch := b.next()
		require.Len(t, batch, 1)
		order = append(order, batch[0].in)
	}
	require.Equal(t, []string{"a1", "b1", "c1", "a2", "b2", "a3", "a4"}, order)
	require.Nil(t, b.next())
}

// A batch holds no more data than one statement should carry.
func TestBatcherBoundsABatch(t *testing.T) {
	t.Parallel()
	sizes := map[string]int{"half": batchBytes / 2, "more": batchBytes + 1, "small": 1}
	b := batcher[string, int]{size: func(text string) int { return sizes[text] }, waiting: waitingFor("half", "half", "small", "more", "half")}
	require.Equal(t, []string{"half", "half"}, texts(b.next()))
	require.Equal(t, []string{"small"}, texts(b.next()))
	require.Equal(t, []string{"more"}, texts(b.next()), "one that is larger goes alone")
	require.Equal(t, []string{"half"}, texts(b.next()))
}
