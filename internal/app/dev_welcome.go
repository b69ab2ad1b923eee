package app

import (
	"fmt"
	"io"
)

// welcome prints where everything is and three commands to paste.
func (d *Dev) welcome(out io.Writer) {
	receiver, hook := "http://"+d.Receiver+"   (prints what it gets, below)", "http://"+d.Receiver+"/hook"
	if d.Receiver == "off" {
		receiver, hook = "none   (--receiver off)", "https://<your receiver>"
	}
	url := d.publicURL()
	_, _ = fmt.Fprintf(out, `
Postrider %s

  API              %s   (documentation: %s/docs)
  Temporal Web UI  %s
  Admin key        %s
  Receiver         %s

Try it, in another terminal:

  1. Create a webhook:
     curl %s/api/webhooks -H "Authorization: Bearer %s" \
       -d '{"url": "%s", "events": ["order.*"]}'

  2. Publish an event:
     curl %s/api/events -H "Authorization: Bearer %s" \
       -d '{"event": "order.created", "data": {"id": 42}}'

  3. Look at the delivery; its workflow.url opens in the Temporal Web UI:
     curl %s/api/deliveries -H "Authorization: Bearer %s"

`, Version, url, url, d.TemporalUIURL, d.AdminKey, receiver,
		url, d.AdminKey, hook, url, d.AdminKey, url, d.AdminKey)
}
