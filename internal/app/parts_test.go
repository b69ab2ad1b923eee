package app

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// journal is what parts did, in order.
type journal struct {
	mu      sync.Mutex
	entries []string
}

func (j *journal) note(entry string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.entries = append(j.entries, entry)
}

// part notes its start and its stop, which takes a while.
func (j *journal) part(name string, stopTakes time.Duration, stopErr error) part {
	return part{name, func(context.Context) (func() error, error) {
		j.note("start " + name)
		return func() error {
			<-time.After(stopTakes)
			j.note("stop " + name)
			return stopErr
		}, nil
	}}
}

var errPart = errors.New("it does not work")

// failing is a part that cannot be started.
func failing(name string) part { return step(name, func(context.Context) error { return errPart }) }

func TestPartsStopInReverse(t *testing.T) {
	t.Parallel()
	var j journal
	stop, err := startAll(t.Context(), []part{
		j.part("a", 0, nil), step("b", func(context.Context) error { j.note("start b"); return nil }), j.part("c", 0, errPart), j.part("d", 0, nil),
	})
	require.NoError(t, err)
	err = stop()
	require.ErrorIs(t, err, errPart)
	require.EqualError(t, err, "stop c: it does not work")
	require.Equal(t, []string{"start a", "start b", "start c", "start d", "stop d", "stop c", "stop a"}, j.entries)
}

func TestPartThatDoesNotStart(t *testing.T) {
	t.Parallel()
	var j journal
	_, err := startAll(t.Context(), []part{j.part("a", 0, nil), j.part("b", 0, nil), failing("c"), j.part("d", 0, nil)})
	require.EqualError(t, err, "it does not work", "as people read it")
	require.Equal(t, []string{"start a", "start b", "stop b", "stop a"}, j.entries)

	j.entries = nil
	_, err = startAll(t.Context(), []part{j.part("a", 0, nil), together("b", []part{j.part("c", 0, nil)}, []part{j.part("d", 0, nil), failing("e")})})
	require.EqualError(t, err, "it does not work")
	require.Equal(t, []string{"start a", "start c", "start d", "stop d", "stop c", "stop a"}, j.entries)
}

// Two lists that each need half a minute for their end take half a minute.
func TestPartsThatStopTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var j journal
		stop, err := startAll(t.Context(), []part{
			j.part("a", time.Second, nil),
			together("b", []part{j.part("c", 20*time.Second, nil), j.part("d", 10*time.Second, nil)}, []part{j.part("e", 30*time.Second, errPart)}),
		})
		require.NoError(t, err)
		began := time.Now()
		require.EqualError(t, stop(), "stop b: stop e: it does not work")
		require.Equal(t, 31*time.Second, time.Since(began))
		require.Equal(t, []string{"start a", "start c", "start d", "start e", "stop d"}, j.entries[:5])
		require.ElementsMatch(t, []string{"stop c", "stop e"}, j.entries[5:7])
		require.Equal(t, "stop a", j.entries[7])
	})
}

// A part in the background may wait for ever; a stop ends the wait, and stops what came before it.
func TestPartsInTheBackground(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var j journal
		come := make(chan struct{})
		wait := step("wait", func(ctx context.Context) error {
			select {
			case <-come:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		fails := func(err error) { require.Fail(t, "a stop is no failure", "%v", err) }
		list := []part{inBackground("b", fails, j.part("c", 0, nil), wait, j.part("d", 0, nil))}
		stop, err := startAll(t.Context(), list)
		require.NoError(t, err)
		synctest.Wait()
		require.NoError(t, stop())
		require.Equal(t, []string{"start c", "stop c"}, j.entries)

		j.entries = nil
		stop, err = startAll(t.Context(), list)
		require.NoError(t, err)
		close(come)
		synctest.Wait()
		require.NoError(t, stop())
		require.Equal(t, []string{"start c", "start d", "stop d", "stop c"}, j.entries)

		j.entries = nil
		var failed error
		stop, err = startAll(t.Context(), []part{inBackground("b", func(err error) { failed = err }, j.part("c", 0, nil), failing("d"))})
		require.NoError(t, err)
		synctest.Wait()
		require.ErrorIs(t, failed, errPart)
		require.Equal(t, []string{"start c", "stop c"}, j.entries)
		require.NoError(t, stop())
	})
}

// What fails from inside ends the process as a signal does, and is its error.
func TestProcessThatFails(t *testing.T) {
	t.Parallel()
	var j journal
	p := newProcess(role{}, slog.New(slog.DiscardHandler))
	p.fail(errPart)
	require.ErrorIs(t, p.run(t.Context(), []part{j.part("a", 0, nil)}), errPart)
	require.Equal(t, []string{"start a", "stop a"}, j.entries)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, newProcess(role{}, slog.New(slog.DiscardHandler)).run(ctx, []part{j.part("a", 0, nil)}))
}
