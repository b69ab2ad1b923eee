package workflows

import (
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/postrider/postrider/activities"
)

// Register adds every workflow and activity to a worker or to a test environment.
func Register(registry worker.Registry, implementation *activities.Activities) {
	RegisterWorkflows(registry)
	registry.RegisterActivity(implementation)
}

// RegisterWorkflows adds every workflow; that is all that a replay needs.
func RegisterWorkflows(registry worker.WorkflowRegistry) {
	for name, function := range map[string]any{
		TypeDelivery: Delivery, TypeFanOut: FanOut, TypeInbound: Inbound, TypeNotification: Notification,
		TypeOwnerDeletion: OwnerDeletion, TypeRecovery: Recovery,
		TypeRelease: Release, TypeRetention: Retention, TypeSweep: Sweep,
	} {
		registry.RegisterWorkflowWithOptions(function, workflow.RegisterOptions{Name: name})
	}
}
