package app

import (
	"errors"

	"github.com/postrider/postrider/internal/egress"
	"github.com/postrider/postrider/internal/notify"
	"github.com/postrider/postrider/internal/service"
)

// targets asks those who send.
type targets struct{ client *egress.Client }

// NewTargets judges by the rules of the client that sends, and by those of mail.
func NewTargets(client *egress.Client) service.Targets { return targets{client} }

// CheckURL returns the form in which a URL is stored and goes out, with its host and port.
func (t targets) CheckURL(url string) (stored, host string, err error) {
	stored, host, err = t.client.CheckURL(url)
	var refused *egress.Error
	if errors.As(err, &refused) {
		err = &service.TargetError{Message: refused.Sentence(), Reason: refused.Reason()}
	}
	return stored, host, err
}

// CheckEmail refuses what no mail can be sent to.
func (targets) CheckEmail(address string) error {
	if err := notify.CheckAddress(address); err != nil {
		return &service.TargetError{Message: err.Error(), Reason: err.Error()}
	}
	return nil
}
