package gormstore_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"gorm.io/driver/sqlite"
	"gorm.io/gorm"

	"github.com/postrider/postrider/receiver"
	"github.com/postrider/postrider/receiver/gormstore"
	"github.com/postrider/postrider/signature"
)

// Every process of an application makes its Handler with a store on the same
// database.
func Example() {
	db, err := gorm.Open(sqlite.Dialector{DriverName: "sqlite", DSN: "file:example?mode=memory&cache=shared&_pragma=busy_timeout(10000)"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer closePool(db)
	if err := gormstore.Migrate(db); err != nil {
		fmt.Println(err)
		return
	}
	store, err := gormstore.New(db)
	if err != nil {
		fmt.Println(err)
		return
	}
	hooks, err := receiver.New(receiver.Options{
		Provider: receiver.GitHub,
		Secrets:  []string{"It's a Secret to Everybody"}, // os.Getenv("GITHUB_WEBHOOK_SECRET")
		Store:    store,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	hooks.On("push", func(_ context.Context, e receiver.Event) error {
		fmt.Println("deploy", string(e.Data))
		return nil
	})

	payload := `{"ref":"refs/heads/main"}`
	header, err := signature.Sign(signature.Config{
		Scheme: signature.SchemeGitHub, Secrets: []string{"It's a Secret to Everybody"},
	}, "", time.Now(), []byte(payload))
	if err != nil {
		fmt.Println(err)
		return
	}
	header.Set("X-GitHub-Event", "push")
	header.Set("X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958")
	for range 2 {
		r := httptest.NewRequest(http.MethodPost, "/webhooks/github", strings.NewReader(payload))
		r.Header = header
		w := httptest.NewRecorder()
		hooks.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Body)
	}
	// Output:
	// deploy {"ref":"refs/heads/main"}
	// 200 {"received": true}
	// 200 {"received": true}
}

func closePool(db *gorm.DB) {
	pool, err := db.DB()
	if err == nil {
		err = pool.Close()
	}
	if err != nil {
		slog.Error("close database", "error", err)
	}
}
