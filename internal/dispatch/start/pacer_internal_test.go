package start

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

func TestPacerAdmitsInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPacer()
		for range firstLimit {
			require.NoError(t, p.enter(t.Context()))
		}
		var mu sync.Mutex
		var order []int
		ctx, cancel := context.WithCancel(t.Context())
		for i := range 3 {
			go func() {
				err := p.enter(map[bool]context.Context{true: ctx, false: context.Background()}[i == 1])
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					order = append(order, i)
				}
			}()
			synctest.Wait()
		}
		cancel()
		synctest.Wait()
		p.leave()
		synctest.Wait()
		require.Equal(t, []int{0}, order)
		p.leave()
		synctest.Wait()
		require.Equal(t, []int{0, 2}, order, "who gave up is left out")
		require.Equal(t, firstLimit, p.underWay)
	})
}
