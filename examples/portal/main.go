// Command portal is an application that shows Postrider's portal inside itself: its customers see their webhooks there. See
// docs/portal.md.
package main

import (
	"encoding/json"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"
)

// page is a page of the application, with the portal in a frame. The link signs in once: each view of the page has its own.
var page = template.Must(template.New("").Parse(`<!DOCTYPE html>
<html lang="en">
<title>Acme: webhooks</title>
<h1>Acme</h1>
<p>Your webhooks:</p>
<iframe src="{{.}}" title="Webhooks" width="100%" height="800" style="border: 0"></iframe>
`))

var client = &http.Client{Timeout: 10 * time.Second}

func main() {
	postrider, key := os.Getenv("POSTRIDER_URL"), os.Getenv("POSTRIDER_ADMIN_KEY")
	http.HandleFunc("GET /webhooks", func(w http.ResponseWriter, r *http.Request) {
		customer := "customer-1" // whoever is signed in to the application: the owner's external_id
		link, err := portalLink(r, postrider, key, customer)
		if err != nil {
			slog.Error("no portal", "error", err)
			http.Error(w, "the webhooks cannot be shown at present", http.StatusBadGateway)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		_ = page.Execute(w, link)
	})
	server := &http.Server{Addr: os.Getenv("LISTEN"), ReadHeaderTimeout: 10 * time.Second}
	slog.Error("stopped", "error", server.ListenAndServe())
}

// portalLink asks Postrider for a link that signs the customer in, within a minute.
func portalLink(r *http.Request, postrider, key, customer string) (template.URL, error) {
	ask, err := http.NewRequestWithContext(r.Context(), http.MethodPost, postrider+"/api/owners/"+customer+"/portal", strings.NewReader(`{"expires_in": "1m"}`))
	if err != nil {
		return "", err
	}
	ask.Header.Set("Authorization", "Bearer "+key)
	answer, err := client.Do(ask)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	var link struct{ URL, Detail string }
	if err := json.NewDecoder(answer.Body).Decode(&link); err != nil || link.URL == "" {
		return "", fmt.Errorf("no link to the portal: %d %s", answer.StatusCode, link.Detail)
	}
	return template.URL(link.URL), nil
}
