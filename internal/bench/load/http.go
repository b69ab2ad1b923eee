package load

import (
	"io"
	"net/http"
	"time"
)

// timeout bounds one request.
const timeout = 30 * time.Second

// NewClient returns a client that keeps all of a load's connections open.
func NewClient() *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4096, DisableCompression: true}, Timeout: timeout}
}

// Exchange sends a request and reads the whole answer, so that its connection is used again.
func Exchange(client *http.Client, request *http.Request) (status int, answer []byte, err error) {
	response, err := client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(response.Body)
	return response.StatusCode, answer, err
}
