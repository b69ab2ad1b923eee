package devserver

import (
	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/membership/static"
	"go.temporal.io/server/common/metrics"
	"go.temporal.io/server/common/primitives"
	"go.temporal.io/server/temporal"
)

const (
	clusterName = "active"
	// sqliteHistoryShards is one, as SQLite has one writer at a time.
	sqliteHistoryShards = 1
	// mainStore and visibilityStore name the databases within the configuration.
	mainStore, visibilityStore = "main", "visibility"
)

// serverOptions describes a Temporal server of one process with a fixed set of
// members, so that no membership protocol runs and nothing waits for it.
func serverOptions(cfg Config, store *store, ports ports, log *serverLog) []temporal.ServerOption {
	services := map[primitives.ServiceName]int{
		primitives.FrontendService: ports.frontend,
		primitives.HistoryService:  ports.history,
		primitives.MatchingService: ports.matching,
		primitives.WorkerService:   ports.worker,
	}
	hosts := make(map[primitives.ServiceName]static.Hosts, len(services))
	rpc := make(map[string]config.Service, len(services))
	for name, port := range services {
		hosts[name] = static.SingleLocalHost(hostPort(port))
		rpc[string(name)] = config.Service{RPC: config.RPC{GRPCPort: port, BindOnIP: loopback}}
	}
	frontend := hostPort(ports.frontend)

	return []temporal.ServerOption{
		temporal.WithConfig(&config.Config{
			Persistence: config.Persistence{
				DefaultStore:     mainStore,
				VisibilityStore:  visibilityStore,
				NumHistoryShards: int32(cfg.HistoryShards),
				DataStores: map[string]config.DataStore{
					mainStore: {SQL: &store.main}, visibilityStore: {SQL: &store.visibility},
				},
			},
			ClusterMetadata: &cluster.Config{
				FailoverVersionIncrement: 10,
				MasterClusterName:        clusterName,
				CurrentClusterName:       clusterName,
				ClusterInformation: map[string]cluster.ClusterInformation{
					clusterName: {Enabled: true, InitialFailoverVersion: 1, RPCAddress: frontend},
				},
			},
			DCRedirectionPolicy: config.DCRedirectionPolicy{Policy: "noop"},
			Services:            rpc,
			PublicClient:        config.PublicClient{HostPort: frontend},
		}),
		temporal.ForServices(temporal.DefaultServices),
		temporal.WithStaticHosts(hosts),
		temporal.WithLogger(newTagLogger(log)),
		temporal.WithAuthorizer(authorization.NewNoopAuthorizer()),
		temporal.WithCustomMetricsHandler(metrics.NoopMetricsHandler),
		temporal.WithDynamicConfigClient(dynamicConfig(cfg.DynamicConfig)),
	}
}
