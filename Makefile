# Headgate. `make setup` once, then `make demo` or `make test`; `make help` lists everything.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup demo test schedules crash-tests docs docs-serve docs-test dashboards pipelines lint format bench ci clean cluster-binaries needs-go images image-sizes e2e licences audit sbom wheel

# The machine's uv if it has one, else a private one: only Python 3.11 and make are needed.
PYTHON ?= python3
UV_VERSION := 0.13.8
PRIVATE_UV := .uv/bin/uv
UV ?= $(or $(shell command -v uv 2>/dev/null),$(PRIVATE_UV))
RUN = $(UV) run --frozen --no-sync
export UV_COMPILE_BYTECODE := 1
export UV_PROJECT_ENVIRONMENT := $(CURDIR)/.venv
export MLFLOW_DISABLE_TELEMETRY := true

help: ## show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Environments in a path with a space fail inside pipeline steps, which split their command line.
check-path:
	@case "$(CURDIR)" in *" "*) echo "headgate: error: the install path '$(CURDIR)' contains a space; move the folder to a path without one" >&2; exit 1;; esac

$(PRIVATE_UV):
	@command -v $(PYTHON) >/dev/null || { echo "headgate: error: $(PYTHON) was not found; install Python 3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { echo "headgate: error: $$($(PYTHON) --version) found, Python 3.11 is needed; use PYTHON=python3.11" >&2; exit 1; }
	@echo "headgate: installing uv $(UV_VERSION) into .uv"
	@$(PYTHON) -m venv .uv && .uv/bin/pip install --quiet uv==$(UV_VERSION)

.venv/.synced: pyproject.toml uv.lock | $(UV)
	@echo "headgate: installing the locked environment into .venv (about 1.3 GB)"
	@$(UV) sync --frozen --python $(PYTHON) && touch $@
	@echo "headgate: everything is installed; make demo shows it work, make help lists the rest"

setup: check-path .venv/.synced ## install everything into .venv

demo: setup ## real flights: train, canary, promote a good version, roll a bad one back
	@$(RUN) headgate demo $(ARGS)

# Whatever failed, once more and alone, where AGAIN=1 asks for it: what fails twice is broken. What passes then needed a quieter machine,
# and is told as unsteady. Only for failed tests (1): other exit codes of pytest mean that it could not do its work.
ONCE_MORE = { status=$$?; [ "$$status-$(AGAIN)" = 1-1 ] || exit $$status; \
  echo "headgate: once more, alone:"; $(RUN) pytest --last-failed --exitfirst $(1) \
  && echo "headgate: UNSTEADY: the tests above failed beside others and passed alone" >&2; }

# Unit tests share the cores. Integration tests mostly wait: three at a time, each with a cluster of its own.
test: setup ## unit and integration tests; ARGS='tests/unit/rollout -k watch' for some of them
ifdef ARGS
	@$(RUN) pytest $(ARGS)
else
	@$(RUN) pytest tests/unit --numprocesses auto --dist worksteal || $(call ONCE_MORE,tests/unit)
	@$(RUN) pytest tests/contract tests/integration --numprocesses 3 --dist loadfile --no-loadscope-reorder \
	  || $(call ONCE_MORE,tests/contract tests/integration)
endif

# The tests try 10,000 steps, always the same; this tries others.
schedules: setup ## random rollouts against the rules of the engine; N=<schedules of 50 steps>, default 2000
	@HEADGATE_SCHEDULES=$(or $(N),2000) $(RUN) pytest tests/unit/rollout/any_schedule

# The tests kill at every write and 6 times at random; this also kills at every single call, before and after, and 200 times at random.
CRASH_TESTS := tests/unit/controller/test_crashes.py tests/integration/test_kills.py tests/integration/test_outages.py \
  tests/integration/test_leaders.py tests/integration/test_fleet_outage.py tests/contract/test_rollouts.py
crash-tests: setup ## the operator killed at every call and 200 times, the API server down for 2 minutes; an hour or more. ARGS='-k random'
	@HEADGATE_EVERY_CALL=1 HEADGATE_KILLS=$(or $(N),200) HEADGATE_OUTAGE=120 $(RUN) pytest $(CRASH_TESTS) $(ARGS)

# A real API server for the contract tests. Make rebuilds it when its module changes; Go caches the rest, so that takes half a minute.
KUBERNETES_VERSION := $(shell sed -n 's|^\tk8s.io/kubernetes v||p' tests/cluster/go.mod)
CONTROL_PLANE := build/cluster/kube-control-plane
CLUSTER_MODULE := $(addprefix tests/cluster/,main.go go.mod go.sum)
GO ?= $(or $(shell command -v go 2>/dev/null),$(wildcard /usr/local/go/bin/go))
VERSION_PACKAGE := k8s.io/component-base/version
# Without these, clients cannot read the server's version.
VERSION_FLAGS := -X $(VERSION_PACKAGE).gitVersion=v$(KUBERNETES_VERSION) \
  -X $(VERSION_PACKAGE).gitMajor=$(word 1,$(subst ., ,$(KUBERNETES_VERSION))) \
  -X $(VERSION_PACKAGE).gitMinor=$(word 2,$(subst ., ,$(KUBERNETES_VERSION)))

# kubeconform, and published definitions out of Go modules: what Headgate's manifests are checked with and against.
KUBECONFORM := build/cluster/kubeconform
DEFINITIONS := build/definitions/.complete

cluster-binaries: $(CONTROL_PLANE) $(KUBECONFORM) $(DEFINITIONS) ## a real kube-apiserver with etcd, and kubeconform, for the contract tests (needs Go)

needs-go:
	@test -n "$(GO)" || { echo "headgate: error: Go was not found, which builds kube-apiserver; install Go 1.25 or later from https://go.dev/dl" >&2; exit 1; }

$(KUBECONFORM): tests/kubeconform/go.mod tests/kubeconform/go.sum | needs-go
	@mkdir -p $(@D)
	@cd tests/kubeconform && CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w" -o $(CURDIR)/$@ github.com/yannh/kubeconform/cmd/kubeconform

$(DEFINITIONS): tests/definitions/go.mod tests/definitions/go.sum tests/definitions/files.txt | needs-go
	@mkdir -p $(@D)
	@set -e; cd tests/definitions; while read -r module file; do \
	  folder=$$($(GO) mod download -json $$module | sed -n 's/^\t"Dir": "\(.*\)",/\1/p'); cp --no-preserve=mode "$$folder/$$file" $(CURDIR)/$(@D)/; \
	done < files.txt
	@touch $@

$(CONTROL_PLANE): $(CLUSTER_MODULE) | needs-go
	@echo "headgate: building kube-apiserver $(KUBERNETES_VERSION), kube-controller-manager and etcd into build/cluster; about 4 minutes on 2 cores the first time"
	@mkdir -p $(@D)
	@cd tests/cluster && CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w $(VERSION_FLAGS)" -o $(CURDIR)/$@.new .
	@mv $@.new $@
	@echo "headgate: $$(du -m $@ | cut -f1) MB in $@; make test uses it"

lint: setup ## style, types, import rules, licences, Containerfiles, shell
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .
	@$(RUN) mypy
	@$(RUN) lint-imports
	@$(RUN) python tests/check_licences.py
	@$(RUN) hadolint images/*.Containerfile
	@$(RUN) shellcheck --external-sources --source-path=SCRIPTDIR tests/e2e/*.sh

# Each step can be read, and run by hand: tests/e2e/README.md.
e2e: setup ## a real cluster in Docker with KServe, Envoy Gateway and Prometheus, and the scenarios of the tests in it; it stays up
	@set -e; for step in tests/e2e/[0-8]*.sh; do echo "headgate: $$step"; $$step; done

images: setup ## the four images, with Docker or Podman; ARGS='operator serving' for some of them
	@$(RUN) python -m images.build $(ARGS)

image-sizes: setup ## what goes into each image: built from the lock without a container, tried, and its size printed
	@UV=$(UV) $(RUN) python -m images.sizes

dashboards: setup ## write manifests/dashboards and the PrometheusRule anew
	@$(RUN) python -m headgate_devcluster.dashboards manifests

pipelines: setup ## write manifests/pipelines anew
	@for name in training validation batch-score; do \
	    $(RUN) headgate pipeline compile $$name --manifest --output manifests/pipelines/$$name.yaml || exit 1; \
	done

format: setup ## rewrite files in the project's style
	@$(RUN) ruff check --fix .
	@$(RUN) ruff format .

# Offline and strict: a broken link, anchor or entry of the navigation fails. `make test` does the same.
MKDOCS := NO_MKDOCS_2_WARNING=1 $(RUN) python -m mkdocs
docs: setup ## the documentation as a site, in build/site
	@$(MKDOCS) build --strict
	@echo "headgate: open build/site/index.html"

docs-serve: setup ## the site at http://127.0.0.1:8000, renewed while pages are edited
	@$(MKDOCS) serve --dev-addr 127.0.0.1:8000

docs-test: setup ## run every command of the documentation that one machine can run, those that take minutes too
	@HEADGATE_DOCS=all $(RUN) pytest tests/unit/project/test_documentation.py tests/integration/test_documented_commands.py $(ARGS)

bench: setup ## the promises of the README, measured on this machine
	@$(RUN) python -m tests.bench $(ARGS)

bench-%: setup
	@$(RUN) python -m tests.bench $* $(ARGS)

# With Go a real API server is a must; without it those tests are skipped, and say so.
ci: lint ## what runs before every merge
ifneq ($(GO),)
	@$(MAKE) --no-print-directory cluster-binaries
	@HEADGATE_REQUIRE_REAL_API=1 $(MAKE) --no-print-directory test AGAIN=1
else
	@$(MAKE) --no-print-directory test AGAIN=1
endif

licences: setup ## the licence of every locked package, and whether it may be used; build/licences.md
	@$(RUN) python -m tests.supplychain.licences

audit: setup ## known vulnerabilities of every locked package, by pip-audit; needs the network
	@$(RUN) python -m tests.supplychain.vulnerabilities $(UV)

sbom: setup ## every locked package as CycloneDX; build/headgate.cdx.json
	@mkdir -p build
	@$(UV) export --quiet --frozen --all-groups --format cyclonedx1.5 --preview-features sbom-export --output-file build/headgate.cdx.json >/dev/null
	@echo "headgate: build/headgate.cdx.json"

wheel: setup ## the wheel, built twice in two places and compared; dist/
	@$(RUN) python -m tests.supplychain.wheel $(UV)

clean: ## remove what was built, not the environment
	@rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
