# The two commands to know: `make demo` runs the main job, `make test` passes all tests.
# Everything they need beside Go is installed from Debian's packages by scripts/need, or named where that is not possible.

GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X carillon/internal/cli.Version=$(VERSION)
BINARY  := bin/carillon
export CGO_ENABLED ?= 0

.PHONY: help build demo test check bench conformance crash fuzz clean

help: ## show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build bin/carillon: one static binary
	@scripts/need go
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BINARY) ./cmd/carillon

demo: build ## the main job on this machine: a server, a receiver, a real run, what arrived
	$(BINARY) demo $(DEMO_FLAGS)

test: ## all tests with the race detector (installs PostgreSQL, a C compiler and Node when missing)
	@scripts/need go gcc postgresql node
	CGO_ENABLED=1 $(GO) test -race -timeout 14m ./...

check: ## formatting, vet, staticcheck, floors, generated files
	@scripts/need go
	@out=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$out" ]; then echo "not gofmt-ed:"; echo "$$out"; exit 1; fi
	$(GO) vet ./...
	$(GO) tool staticcheck ./...
	$(GO) test . -count=1
	@scripts/fresh

bench: build ## print the figures of docs/benchmarks.md
	@scripts/need postgresql
	$(BINARY) bench $(BENCH_FLAGS)

conformance: build ## the platforms' real clients against the real binary (the first time builds them: many minutes)
	@scripts/need go
	cd test/conformance && CARILLON_PROGRAM=$(CURDIR)/$(BINARY) $(GO) test -count=1 -timeout 30m ./...
	@cp test/conformance/pulumi/go.mod bin/pulumi.mod && cp test/conformance/pulumi/go.sum bin/pulumi.sum
	cd test/conformance/pulumi && GOFLAGS='-mod=mod -modfile=$(CURDIR)/bin/pulumi.mod' CARILLON_PROGRAM=$(CURDIR)/$(BINARY) \
		$(GO) test -count=1 -timeout 90m ./...

crash: ## kill real processes under load, KILLS times on each database (default 500)
	@scripts/need go postgresql
	CARILLON_KILLS=$(or $(KILLS),500) $(GO) test ./internal/cli -run 'Soak' -count=1 -v -timeout 60m

fuzz: ## every fuzz target for FUZZTIME each (default 10s)
	@scripts/fuzz $(or $(FUZZTIME),10s)

clean: ## remove what was built
	rm -rf bin
