package console

import (
	"net/http"
	"time"

	"github.com/postrider/postrider/console/view"
	"github.com/postrider/postrider/internal/service"
)

// Receiver is a receiver in this process, for trying things out.
type Receiver interface {
	// Received returns what it got, the newest first.
	Received() []view.Received
	// Manner is how it answers.
	Manner() (status int, delay time.Duration)
	// Answer has it answer in another manner.
	Answer(status int, delay time.Duration)
}

// manners are how the receiver can be told to answer.
var manners = map[string]struct {
	status int
	delay  time.Duration
}{
	"well": {http.StatusOK, 0}, "badly": {http.StatusInternalServerError, 0}, "slowly": {http.StatusOK, 10 * time.Second},
}

func (c *console) receiverPages() map[string]page {
	if c.Receiver == nil {
		return nil
	}
	return map[string]page{"/receiver": c.receiver}
}

// receiver shows what the receiver in this process got.
func (c *console) receiver(r *request) (view.Page, error) {
	if !r.who.Admin() {
		return view.Page{}, service.ErrAdminsOnly
	}
	shown := view.Receiver{URL: c.ReceiverURL, Received: c.Receiver.Received()}
	status, delay := c.Receiver.Manner()
	for name, of := range manners {
		if of.status == status && of.delay == delay {
			shown.Manner = name
		}
	}
	return view.Page{Title: "Receiver", Section: "receiver", Live: []string{"deliveries"}, Body: view.ReceiverPage(shown)}, nil
}

// answer has the receiver answer in another manner.
func (c *console) answer(w http.ResponseWriter, r *request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<10)
	of, ok := manners[r.PostFormValue("manner")]
	if !ok || c.Receiver == nil || !r.who.Admin() {
		c.fail(w, r, errNoPage)
		return
	}
	c.Receiver.Answer(of.status, of.delay)
	c.done(w, r, Base+"/receiver")
}
