// Package workflows holds Postrider's Temporal workflows. A delivery is one of them: it can be watched in the
// Temporal Web UI, resent by a signal and cancelled there, and no crash makes it forget where it was.
package workflows

import (
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/postrider/postrider/activities"
	"github.com/postrider/postrider/internal/contract"
)

// Register adds every workflow and activity to a worker or to a test environment.
func Register(registry worker.Registry, implementation *activities.Activities) {
	RegisterWorkflows(registry)
	registry.RegisterActivity(implementation)
}

// RegisterWorkflows adds every workflow; that is all that a replay needs.
func RegisterWorkflows(registry worker.WorkflowRegistry) {
	for name, function := range map[string]any{
		contract.TypeDelivery: Delivery, contract.TypeFanOut: FanOut, contract.TypeInbound: Inbound, contract.TypeNotification: Notification,
		contract.TypeOwnerDeletion: OwnerDeletion, contract.TypeRecovery: Recovery,
		contract.TypeRelease: Release, contract.TypeRetention: Retention, contract.TypeSweep: Sweep,
	} {
		registry.RegisterWorkflowWithOptions(function, workflow.RegisterOptions{Name: name})
	}
}
