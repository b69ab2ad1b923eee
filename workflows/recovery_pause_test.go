package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/models"
)

// steer signals what was asked for at a time.
func (r *recoveryRig) steer(signal string, at int) {
	r.env.SignalWorkflow(signal, contract.SteerSignal{At: start.Add(time.Duration(at) * time.Millisecond)})
}

// Of a pause and a resume that arrive together, the one that was asked for last holds, in whatever order they come.
func TestLastRequestHolds(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		const pause, resume = contract.SignalPause, contract.SignalResume
		type request struct {
			signal string
			at     int
		}
		for name, test := range map[string]struct {
			requests []request
			paused   bool
		}{
			"resumed last":                {[]request{{pause, 1}, {resume, 2}}, false},
			"resumed last, told first":    {[]request{{resume, 2}, {pause, 1}}, false},
			"paused last":                 {[]request{{resume, 1}, {pause, 2}}, true},
			"paused last, told first":     {[]request{{pause, 2}, {resume, 1}}, true},
			"paused again":                {[]request{{pause, 1}, {resume, 2}, {pause, 3}}, true},
			"resumed again, told between": {[]request{{pause, 1}, {resume, 4}, {pause, 3}, {resume, 2}}, false},
		} {
			for where, before := range map[string]bool{"in a page": false, "while it is paused": true} {
				t.Run(name+" "+where, func(t *testing.T) {
					t.Parallel()
					r := newRecoveryRig(t, open, 20, 10)
					at := 500 * time.Millisecond
					if before {
						r.after(200*time.Millisecond, func() { r.steer(pause, 0) })
						at = time.Minute
					}
					r.after(at, func() {
						for _, request := range test.requests {
							r.steer(request.signal, request.at)
						}
					})
					r.after(time.Hour, func() {
						require.Equal(t, models.RecoveryPaused, r.row().Status)
						r.steer(resume, 10)
					})
					require.NoError(t, r.run())
					r.requireOnce(20)
					pages := r.starter.pages
					require.Equal(t, test.paused, pages[len(pages)-1].at >= time.Hour)
				})
			}
		}
	})
}
