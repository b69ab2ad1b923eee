package app

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/postrider/postrider/console"
	"github.com/postrider/postrider/internal/service"
)

// welcomeLink is for how long the link that is printed at the start signs in.
const welcomeLink = 24 * time.Hour

// welcome prints where everything is and three commands to paste.
func (d *Dev) welcome(consoleURL string, out io.Writer) {
	receiver, hook := "http://"+d.Receiver+"   (prints what it gets, below)", "http://"+d.Receiver+"/hook"
	if d.Receiver == "off" {
		receiver, hook = "none   (--receiver off)", "https://<your receiver>"
	}
	at := d.publicURL()
	_, _ = fmt.Fprintf(out, `
Postrider %s

  Console          %s
  API              %s   (documentation: %s/docs)
  Temporal Web UI  %s
  Admin key        %s
  Receiver         %s

Try it in the console, which leads you to the first delivery; or in another terminal:

  1. Create a webhook:
     curl %s/api/webhooks -H "Authorization: Bearer %s" \
       -d '{"url": "%s", "events": ["order.*"]}'

  2. Publish an event:
     curl %s/api/events -H "Authorization: Bearer %s" \
       -d '{"event": "order.created", "data": {"id": 42}}'

  3. Look at the delivery; its workflow.url opens in the Temporal Web UI:
     curl %s/api/deliveries -H "Authorization: Bearer %s"

`, Version, consoleURL, at, at, d.TemporalUIURL, d.AdminKey, receiver,
		at, d.AdminKey, hook, at, d.AdminKey, at, d.AdminKey)
}

// consoleURL is the console's address, with a link that signs in once where one can be had.
func (d *Dev) consoleURL(ctx context.Context, of *service.Service) string {
	at := d.publicURL() + console.Base + "/"
	link, err := of.SignInLink(ctx, d.AdminKey, welcomeLink)
	if err != nil {
		return at
	}
	return at + "sign-in?" + url.Values{"link": {link}}.Encode() + "   (signs in once)"
}
