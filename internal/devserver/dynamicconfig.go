package devserver

import (
	"time"

	"go.temporal.io/server/common/dynamicconfig"
)

const (
	// schedulerWorkers are the goroutines that work off each internal task
	// queue. All of them share one database connection.
	schedulerWorkers = 32
	// visibilityWorkers are fewer: a burst of workflows must not queue its
	// entries for the list of workflows in front of the workflows themselves.
	visibilityWorkers = 4
	// timerReadAhead is how far ahead of now due timers are read. A timer that
	// is set for an earlier moment waits for it; Temporal's second guards
	// against hosts whose clocks differ.
	timerReadAhead = 50 * time.Millisecond
	// requestRate is the limit of requests per second, far above what one
	// machine can do.
	requestRate = 100_000
	// listRate is the limit of list and count requests per second.
	listRate = 200
)

// dynamicConfig is Temporal's dynamic configuration with the overrides by key
// name. Temporal's own defaults suit a cluster with many users; what differs
// is for a single user who wants quick answers and an idle process that is idle.
func dynamicConfig(overrides map[string]any) dynamicconfig.StaticClient {
	client := dynamicconfig.StaticClient{
		// It asks a server on the internet.
		dynamicconfig.EnableServerVersionCheck.Key(): false,

		// Partitions spread a task queue over hosts; here they only add
		// forwarding between them.
		dynamicconfig.MatchingNumTaskqueueReadPartitions.Key():  1,
		dynamicconfig.MatchingNumTaskqueueWritePartitions.Key(): 1,

		// First workflow tasks come with the answer to the start.
		dynamicconfig.EnableEagerWorkflowStart.Key(): true,

		// A worker that stops is given no more tasks. Else one that is on its way to it is lost, and has to time
		// out before another worker gets it.
		dynamicconfig.EnableCancelWorkerPollsOnShutdown.Key(): true,

		// A backlog is shared out among the fairness keys of its tasks.
		dynamicconfig.MatchingEnableFairness.Key(): true,

		// Scanners look for leftovers of failed hosts, and the worker takes
		// over the children of parents with very many. Both poll all the time.
		dynamicconfig.TaskQueueScannerEnabled.Key():       false,
		dynamicconfig.HistoryScannerEnabled.Key():         false,
		dynamicconfig.BuildIdScavengerEnabled.Key():       false,
		dynamicconfig.EnableParentClosePolicyWorker.Key(): false,

		dynamicconfig.TransferProcessorSchedulerWorkerCount.Key():    schedulerWorkers,
		dynamicconfig.TimerProcessorSchedulerWorkerCount.Key():       schedulerWorkers,
		dynamicconfig.MemoryTimerProcessorSchedulerWorkerCount.Key(): schedulerWorkers,
		dynamicconfig.VisibilityProcessorSchedulerWorkerCount.Key():  visibilityWorkers,

		dynamicconfig.TimerProcessorMaxTimeShift.Key(): timerReadAhead,

		dynamicconfig.FrontendRPS.Key():                                  requestRate,
		dynamicconfig.FrontendMaxNamespaceRPSPerInstance.Key():           requestRate,
		dynamicconfig.FrontendMaxNamespaceVisibilityRPSPerInstance.Key(): listRate,
		dynamicconfig.MatchingRPS.Key():                                  requestRate,
		dynamicconfig.HistoryRPS.Key():                                   requestRate,
	}
	for name, value := range overrides {
		client[dynamicconfig.MakeKey(name)] = value
	}
	return client
}
