// Command postrider runs Postrider against PostgreSQL and a Temporal server, and talks to it.
package main

import (
	"os"

	"github.com/postrider/postrider/internal/app"
)

func main() { os.Exit(app.Postrider(os.Args[1:])) }
