# `make test` is the one test command. It needs Go, and installs what else is missing where it may.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Built from source, at the versions in tools/go.mod; Go's build cache keeps them.
golangci_lint := go tool -modfile=tools/go.mod golangci-lint
workflowcheck := go tool -modfile=tools/go.mod workflowcheck
deadcode := go tool -modfile=tools/go.mod deadcode

# Runs a command with one PostgreSQL server for the tests of all packages.
with_postgres := go run ./internal/testdb/cmd/withpostgres

# The embedded Temporal server takes several times as long to build for the race detector, and its races are
# not ours to find: packages that link it, or whose tests do, are tested without.
server := go.temporal.io/server/temporal
linking = {{range .Deps}}{{if eq . "$(server)"}}{{$$.ImportPath}}{{"\n"}}{{end}}{{end}}
unraced = $(shell go list -test -f '$(linking)' ./... | sed -E 's/ \[.*//; s/(_test|\.test)$$//' | sort -u)
raced = $(filter-out $(unraced),$(shell go list ./...))
# Go knows whether there is a C compiler. It is asked when a recipe runs: by then one may have been installed.
race = $(if $(filter 1,$(shell go env CGO_ENABLED)),-race)

module := $(shell go list -m)

FUZZTIME ?= 20s

# Of make chaos: how many processes are killed, the seed of an earlier run to repeat, events a second, and who
# makes first attempts: workflow or direct.
KILLS ?= 100
FIRST_ATTEMPT ?= workflow
SEED ?= 0
RATE ?= 8

# Of make recovery: how many deliveries are recovered, and how many of them a second.
DELIVERIES ?= 20000
RECOVERY_RATE ?= 40

# Of make recovery-missed: how many events are recovered that were published while a webhook was disabled, and how many of
# them a second.
EVENTS ?= 50000
MISSED_RATE ?= 100

# Of make bench-report: what is measured, all when empty, and how many times.
SCENARIOS ?=
RUNS ?= 3

# Of make retention, make statistics and make search: how many attempts the log holds.
ATTEMPTS ?= 1000000

.PHONY: help
help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' Makefile

.PHONY: build
build: ## Build the programs into bin/.
	go build -trimpath -o bin/ ./cmd/...

.PHONY: dev
dev: ## Run Postrider with everything that it needs in one process.
	go run ./cmd/postrider-dev

.PHONY: prerequisites
prerequisites: ## Install what the tests need and is missing: PostgreSQL's programs, a C compiler.
	@go run ./internal/testdb/cmd/prerequisites

.PHONY: test
test: prerequisites check ## Check everything: format, vet, lint, determinism, all tests.
	@RACED='$(raced)' UNRACED='$(unraced)' $(with_postgres) $(SHELL) -uc ' \
		status=0; \
		go test $(race) $$RACED || status=$$?; \
		[ -z "$$UNRACED" ] || go test $$UNRACED || status=$$?; \
		exit $$status'

.PHONY: test-short
test-short: prerequisites ## Run the quick tests only, without checks and race detector.
	@$(with_postgres) go test -short $(raced)

.PHONY: check
check: format-check vet lint workflowcheck production-check deadcode ## Everything in test but the tests.

.PHONY: format-check
format-check:
	@unformatted=$$(gofmt -l .); \
	[ -z "$$unformatted" ] || { echo "Not formatted (run make fmt):" $$unformatted >&2; exit 1; }

.PHONY: fmt
fmt: ## Format the code.
	$(golangci_lint) fmt ./...

.PHONY: vet
vet:
	go vet ./...

.PHONY: lint
lint: ## Run the linters of .golangci.yaml.
	$(golangci_lint) run ./...

.PHONY: workflowcheck
workflowcheck: ## Find what would keep a workflow from replaying.
	$(workflowcheck) ./workflows/...

# Starts at the main functions, so what only tests call is found. The public packages are for other programs, and
# internal/testdb is for tests; the linter (unused) finds what is not exported there. It takes about a minute.
.PHONY: deadcode
deadcode: ## Find functions that no program calls.
	@unreached=$$($(deadcode) ./cmd/... ./internal/testdb/cmd/... | grep -vE '^(signature|receiver|internal/testdb)/' || true); \
	[ -z "$$unreached" ] || { echo "$$unreached"; echo 'Remove them, or move them to the tests that call them.'; exit 1; } >&2

# The linter's depguard sees direct imports only. (Temporal's SDK imports testing itself; only packages of this module
# are looked at for it.)
.PHONY: production-check
production-check:
	@dependencies=$$(go list -deps ./cmd/postrider); \
	if grep '^go.temporal.io/server' <<<"$$dependencies"; then \
		echo 'cmd/postrider must not link the embedded Temporal server' >&2; exit 1; \
	fi
	@importing=$$(go list -deps -f '{{$$package := .ImportPath}}{{range .Imports}}{{$$package}} imports {{.}}{{"\n"}}{{end}}' ./cmd/...); \
	if grep -E '^$(module)[^ ]* imports (testing|github.com/stretchr/testify.*)$$' <<<"$$importing"; then \
		echo 'the programs must not link packages for tests' >&2; exit 1; \
	fi

.PHONY: chaos
chaos: ## Kill every part KILLS times (100) under load and compare what was accepted with what arrived.
	go test ./e2e -run '^TestChaos$$' -count=1 -v -timeout 6h \
		-chaos.kills=$(KILLS) -chaos.seed=$(SEED) -chaos.rate=$(RATE) -chaos.first-attempt=$(FIRST_ATTEMPT)

.PHONY: recovery
recovery: ## Recover DELIVERIES (20,000) deliveries while everything is killed, on PostgreSQL.
	go test ./e2e -run '^TestLongRecovery$$' -count=1 -v -timeout 2h \
		-recovery.deliveries=$(DELIVERIES) -recovery.rate=$(RECOVERY_RATE)

.PHONY: recovery-missed
recovery-missed: ## Recover EVENTS (50,000) events that a disabled webhook missed, with two kills, on PostgreSQL.
	go test ./e2e -run '^TestLongRecoveryOfMissedEvents$$' -count=1 -v -timeout 2h \
		-missed.events=$(EVENTS) -missed.rate=$(MISSED_RATE)

.PHONY: bench-report
bench-report: ## Measure SCENARIOS (all) on a whole installation, RUNS (3) times: bin/bench-report.html and .json.
	mkdir -p bin
	go run ./cmd/postrider-bench $(SCENARIOS) --start --runs $(RUNS) --output bin/bench-report.json --html bin/bench-report.html

.PHONY: retention
retention: ## Purge half of a log of ATTEMPTS (1,000,000) attempts while deliveries go on, with the plans.
	POSTRIDER_TEST_ATTEMPTS=$(ATTEMPTS) go test ./internal/store -run '^TestRetentionWhileDeliveriesGoOn$$' -count=1 -v -timeout 1h

.PHONY: statistics
statistics: ## Count and ask for the statistics of a log of ATTEMPTS (1,000,000) attempts, with the plan.
	POSTRIDER_TEST_ATTEMPTS=$(ATTEMPTS) go test ./internal/store -run '^TestStatisticsOfALargeLog$$' -count=1 -v -timeout 1h

.PHONY: search
search: ## Search a log of ATTEMPTS (1,000,000) deliveries.
	POSTRIDER_TEST_ATTEMPTS=$(ATTEMPTS) go test ./internal/store -run '^TestSearchOfALargeLog$$' -count=1 -v -timeout 1h

.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZTIME (20s each).
	@grep -roE --include='*_test.go' '^func Fuzz\w+' . | sed -E 's|/[^/]+:func | |' | \
	while read -r folder target; do \
		go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) "$$folder" </dev/null; \
	done

.PHONY: bench
bench: ## Run the benchmarks.
	@$(with_postgres) go test -run '^$$' -bench . -benchmem ./...
