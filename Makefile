# Everything that is done here, one word each. `make help` lists the words.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCKED := $(VENV)/locked
SET_UP := $(VENV)/set-up
HOST := aiinfra/engine/host
VCENTER := aiinfra/domains/vsphere/lab/server
HELM := aiinfra/domains/kubernetes/charts/helm
PULUMI := github.com/pulumi/pulumi
TAGS := osusergo,grpcnotrace
# Checks that compile as the toolchain does find its packages in Go's cache; else they compile Pulumi anew.
AS_BUILT := CGO_ENABLED=0 GOFLAGS=-trimpath
# Tests wait more than they work. A file stays with one worker, as its tests may share a lab.
AT_ONCE := --numprocesses 2 --dist loadfile
WITH_GO := $(CURDIR)/$(BIN)/aiinfra toolchain exec --
UV := uv==0.13.9

.DEFAULT_GOAL := help
.PHONY: help lab test slow lint format host-check host-race bench interop wheel lock clean

help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

lab: $(SET_UP) ## Set up everything, then stand up a GPU platform in a lab on this machine
	$(BIN)/aiinfra up lab --yes

test: $(SET_UP) ## Set up everything, then all tests, against the real engine and lab
	$(BIN)/aiinfra toolchain install
	$(BIN)/pytest -m "not slow and not interop" $(AT_ONCE)

slow: $(SET_UP) ## The long campaigns: kill -9 thirty times, three hundred stacks
	$(BIN)/aiinfra toolchain install
	$(BIN)/pytest -m slow

lint: $(SET_UP) ## Style, types and import directions of Python; vet and staticcheck of Go
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(AS_BUILT) $(WITH_GO) go -C $(HOST) vet -tags $(TAGS) ./...
	$(AS_BUILT) $(WITH_GO) go -C $(VCENTER) vet ./...
	$(AS_BUILT) $(WITH_GO) go -C $(HELM) vet ./...
	$(WITH_GO) go -C .ci/staticcheck build -o $(CURDIR)/$(BIN)/staticcheck honnef.co/go/tools/cmd/staticcheck
	cd $(HOST) && $(AS_BUILT) $(WITH_GO) $(CURDIR)/$(BIN)/staticcheck -tags $(TAGS) ./...
	cd $(VCENTER) && $(AS_BUILT) $(WITH_GO) $(CURDIR)/$(BIN)/staticcheck ./...
	cd $(HELM) && $(AS_BUILT) $(WITH_GO) $(CURDIR)/$(BIN)/staticcheck ./...

format: $(SET_UP) ## Rewrite the Python files in the one style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

host-check: $(SET_UP) ## The Go tests; the engine host's again under the race detector (which needs a C compiler)
	$(AS_BUILT) $(WITH_GO) go -C $(HOST) test -tags $(TAGS) ./...
	$(AS_BUILT) $(WITH_GO) go -C $(VCENTER) test ./...
	CGO_ENABLED=1 $(WITH_GO) go -C $(HOST) test -race -tags $(TAGS) ./...

host-race: $(SET_UP) ## The tests of the engine against a host built with the race detector (minutes)
	CGO_ENABLED=1 $(WITH_GO) go -C $(HOST) build -race -tags $(TAGS) -o $(CURDIR)/build/race/aiinfra-engine \
	  -ldflags "-X $(PULUMI)/sdk/v3/go/common/version.Version=$$(sed -n 's|.*$(PULUMI)/pkg/v3 ||p' $(HOST)/go.mod)" .
	AIINFRA_TOOLCHAIN=$(CURDIR)/build/race $(BIN)/pytest tests/integration/engine

bench: $(SET_UP) ## Measure, and print a table and JSON
	$(BIN)/aiinfra toolchain install
	$(BIN)/python -m benchmarks

interop: $(SET_UP) ## Build the pulumi CLI once and let it work on our state
	$(BIN)/aiinfra toolchain install aiinfra-engine
	$(BIN)/pytest -m interop

wheel: $(SET_UP) ## Build the wheel into dist/
	$(BIN)/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

lock: $(SET_UP) ## Resolve the dependencies anew, with hashes
	$(BIN)/pip install --quiet $(UV)
	UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
	  --generate-hashes --no-annotate --upgrade --extra dev pyproject.toml -o requirements.lock

clean: ## Remove what was made here; the toolchain's cache stays
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(SET_UP): $(LOCKED) pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(BIN)/python -m compileall -q aiinfra stacks
	@touch $@

$(LOCKED): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "aiinfra needs Python 3.11 or newer; name one with: make PYTHON=/path/to/python3" >&2; exit 1; }
	@echo "Setting up $(VENV) with the locked Python packages (800 MB; one to three minutes)"
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@
