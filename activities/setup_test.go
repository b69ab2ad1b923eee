package activities_test

import (
	"testing"
	"time"

	"go.temporal.io/sdk/testsuite"
	"gorm.io/gorm"

	"github.com/postrider/postrider/activities"
	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 123456000, time.UTC)

// rig calls activities as a worker does, with a real store.
type rig struct {
	env        *testsuite.TestActivityEnvironment
	activities *activities.Activities
	store      *store.Store
}

// onEach runs a test on every kind of database, each with a rig of its own.
func onEach(t *testing.T, test func(t *testing.T, r *rig)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		r := &rig{store: storetest.New(t, db, store.Config{Now: func() time.Time { return now }})}
		r.activities = &activities.Activities{Store: r.store, Now: func() time.Time { return now }}
		var suite testsuite.WorkflowTestSuite
		r.env = suite.NewTestActivityEnvironment()
		r.env.RegisterActivity(r.activities)
		test(t, r)
	})
}
