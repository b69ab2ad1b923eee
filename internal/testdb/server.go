package testdb

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync"

	"github.com/postrider/postrider/internal/pgcluster"
)

// serverURL returns the server on which this process makes its databases.
func serverURL() (string, error) {
	if server := os.Getenv(URLVariable); server != "" {
		return server, nil
	}
	cluster, err := processCluster()
	if err != nil {
		return "", fmt.Errorf("%w, or name a server in %s", err, URLVariable)
	}
	return cluster.URL(), nil
}

// processCluster starts this process's throwaway server, once. No test knows that it is the last one and could close
// it, so the cluster's watchdog does.
var processCluster = sync.OnceValues(func() (*pgcluster.Cluster, error) { return pgcluster.Start(pgcluster.Options{}) })

// withDatabase returns the server's URL with another database in it.
func withDatabase(server, name string) (string, error) {
	u, err := url.Parse(server)
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") {
		// The value may hold a password, and so may the parser's error.
		return "", errors.New(URLVariable + " is not a postgres:// URL")
	}
	u.Path = "/" + name
	query := u.Query()
	query.Del("dbname") // would win over the path
	query.Del("database")
	u.RawQuery = query.Encode()
	return u.String(), nil
}
