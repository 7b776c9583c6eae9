# Everything here runs in .venv, from locked dependencies. What takes long to build is kept in ~/.cache/affirm-worker.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/pytest -q --durations=10 --durations-min=1
FILES ?= $(sort $(wildcard tests/data/us/national/yob*.txt))
COUNTRY ?= US
SECONDS ?= 60
VERSION := $(shell sed -n 's/^version = "\(.*\)"$$/\1/p' pyproject.toml)

# Tests start some hundred interpreters, each of which would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run prepare screenshots test check lint unit model integration postgres-18 http postgres-oldest postgres-16 postgres-15 faults guards chaos e2e chaos-cluster alarms-cluster fuzz bench cluster-up cluster-down cluster-deps manifests docs lock format clean images sbom audit release-check release-notes release-base release-base-output release-images release-chart release-sign release-outputs release-announce needs-registry vendor

help:  ## show this
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | sort | expand -t 16

# --- setting up ---------------------------------------------------------------------------------------------------

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or later is needed; $(PYTHON) is $$($(PYTHON) --version). Try: make PYTHON=python3.13" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	  rm -rf $(VENV); echo "python3 -m venv failed; on Debian: apt-get install python3-venv" >&2; exit 1; }

$(VENV)/.run: requirements/run.txt pyproject.toml | $(BIN)/python
	@echo "setting up $(VENV) (once)"
	@began=$$(date +%s); \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt && \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable . && \
	touch $@ && echo "set up in $$(( $$(date +%s) - began )) s"

$(VENV)/.dev: requirements/dev.txt | $(VENV)/.run
	@echo "setting up the tools for tests (once)"
	@began=$$(date +%s); \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt && \
	touch $@ && echo "set up in $$(( $$(date +%s) - began )) s"

$(VENV)/.fuzz: requirements/fuzz.txt | $(VENV)/.dev
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/fuzz.txt
	@touch $@

# Tools that look at the dependencies, apart from these: they have many of their own.
.supply/.done: requirements/supply.txt requirements/dev.txt requirements/run.txt | $(BIN)/python
	@$(PYTHON) -m venv .supply
	@for file in run supply; do .supply/bin/python -m pip install --quiet --disable-pip-version-check \
	  --require-hashes -r requirements/$$file.txt || exit 1; done
	@.supply/bin/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

# What the queue is compared with, apart from everything else.
.bench/.done: requirements/bench.txt | $(BIN)/python
	@$(PYTHON) -m venv .bench
	@.bench/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bench.txt
	@touch $@

# --- the main job -------------------------------------------------------------------------------------------------

run: $(VENV)/.run  ## load the sample files, or FILES="a.txt 'b c.txt' folder https://…" of COUNTRY=US, on this machine; ARGS="--year 2023"; KEEP=1 serves the API then
	@test -z '$(filter command,$(origin FILE))' || { echo "make run takes FILES=, not FILE=" >&2; exit 2; }
	@$(BIN)/affirm-worker load $(FILES) --country "$(COUNTRY)" $(ARGS)$(if $(KEEP),; code=$$?; \
	  [ $$code -le 1 ] || exit $$code; \
	  API_LOCAL_ROLE="$${API_LOCAL_ROLE:-uploader}" exec $(BIN)/affirm-worker serve --with-controller)

# --- tests --------------------------------------------------------------------------------------------------------

prepare: prepare-all  ## build, fetch and install what tests need; of one part: make prepare-check, prepare-e2e, …

# A second if all is there. Nothing else builds: a test that finds something missing says so.
PREPARE := $(addprefix prepare-,all chart check model integration faults e2e cluster bench nodes)
.PHONY: $(PREPARE)
$(PREPARE): prepare-%: $(VENV)/.dev
	@$(BIN)/python -m tests.prepare $*

check: lint unit  ## a minute or two: ruff, mypy --strict, import-linter, unit tests

lint: prepare-check  ## ruff, mypy --strict, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: prepare-check  ## the unit tests
	$(PYTEST) tests/unit

model: prepare-model  ## a model of the lease protocol, in every order of its steps (needs spin and gcc)
	$(PYTEST) -s tests/model

integration: postgres-18 http postgres-oldest  ## conformance and integration tests, on a real Postgres and a real S3 server

postgres-18: prepare-integration
	$(PYTEST) tests/conformance tests/integration tests/outages

http: prepare-integration  ## the API, its pages, and the command line over it, on a real Postgres and real storage
	$(PYTEST) tests/api tests/remote tests/dashboard

# On the oldest that is here what its SQL decides; that every statement is among it is checked.
postgres-oldest: postgres-$(if $(wildcard /usr/lib/postgresql/15/bin/initdb),15,16)

EVERY := -m "every_postgres and not one_postgres"

# The one between, before a release. 16 and 18 come with the embedded one.
postgres-16: prepare-integration
	AFFIRM_TEST_POSTGRES=16 $(PYTEST) $(EVERY) tests/integration tests/api

# Debian 12's own.
postgres-15: prepare-integration
	@if [ -x /usr/lib/postgresql/15/bin/initdb ]; then \
	  AFFIRM_TEST_POSTGRES=15 $(PYTEST) $(EVERY) tests/integration tests/api; \
	  else echo "the integration tests on Postgres 15 are skipped: it is not installed"; fi

screenshots: prepare-integration  ## every page as images, in light, dark and narrow, of four installations; ONLY="empty normal broken many" PAGES="/ /jobs" JOBS=1000000 FOLDER=screenshots
	@$(BIN)/python -m tests.dashboard.screenshots

faults: prepare-faults  ## a fault at every boundary, a state machine, and the product with one safety taken out
	$(PYTEST) tests/chaos

guards: prepare-check prepare-integration  ## the product with one guard against hostile runners and files taken out, ONLY="words of its name": which test finds it
	@$(BIN)/python -m tests.guards $(ONLY)

chaos: prepare-faults  ## N=500 loads while everything dies, and what came of it in one line; SEED=… for the same again
	@$(BIN)/python -m tests.chaos $(or $(N),500) $(if $(SEED),--seed $(SEED))

e2e: prepare-e2e  ## end-to-end tests, on a real Kubernetes
	$(PYTEST) tests/e2e

chaos-cluster: prepare-e2e  ## the same on a real Kubernetes: N=200 loads, MINUTES=10 at the least
	@$(BIN)/python -m tests.chaos_cluster $(or $(N),200) $(if $(MINUTES),--minutes $(MINUTES)) \
	  $(if $(SEED),--seed $(SEED))

alarms-cluster: prepare-e2e  ## each alert provoked once on a real Kubernetes, and how long it took to fire and to clear; ONLY="PoolBlocked ApiDown"
	@$(BIN)/python -m tests.cluster_alarms $(ONLY)

# As root in CI the system packages come by themselves; elsewhere what is missing is said, and how to get it.
# The end-to-end tests mostly wait for the cluster: the others run beside them, three parts at a time.
FIRST := prepare lint
BESIDE := e2e unit postgres-18 http faults postgres-oldest model chaos
TOOK := $(VENV)/.took

test:  ## everything, and how long each part of it took
	@rm -f $(TOOK)
	@for part in $(FIRST); do $(MAKE) --no-print-directory part-$$part || exit 1; done
	@echo "now three at a time, each part's output at its end: $(BESIDE)"
	@$(MAKE) --no-print-directory --jobs=3 --keep-going --output-sync=target $(BESIDE:%=part-%); code=$$?; \
	  $(BIN)/python -m tests.prepare --skipped; paste -sd, $(TOOK) | sed 's/,/, /g'; exit $$code

part-%:
	@began=$$(date +%s); $(MAKE) --no-print-directory $*; code=$$?; \
	  echo "$* $$(( $$(date +%s) - began )) s" >> $(TOOK); \
	  [ $$code = 0 ] || { echo "make $* failed"; exit $$code; }

fuzz: $(VENV)/.fuzz  ## coverage-guided fuzzing of every parser, SECONDS=60 for each (Linux, CPython)
	$(BIN)/python -m tests.fuzz --seconds $(SECONDS)

cluster-up: prepare-cluster  ## a local Kubernetes to work with by hand
	$(BIN)/python -m tests.cluster up

cluster-down: $(VENV)/.dev  ## and its end
	$(BIN)/python -m tests.cluster down

cluster-deps: $(VENV)/.dev  ## the system packages it needs (Debian, root)
	$(BIN)/python -m tests.cluster deps

bench: prepare-e2e prepare-nodes .bench/.done  ## every benchmark but bench-growth, which takes long; one: make bench-NAME
	@for file in $(filter-out %_growth.py,$(wildcard benchmarks/bench_*.py)); do \
	  $(BIN)/python -m benchmarks.$$(basename $$file .py) || exit 1; done

bench-queue: .bench/.done

bench-latency bench-pods bench-recovery bench-scale: prepare-e2e

# With Karpenter, which no test needs.
bench-nodes: prepare-nodes

bench-%: prepare-bench
	@$(BIN)/python -m benchmarks.bench_$*

# --- files that are made from others ------------------------------------------------------------------------------

UV ?= uv
LOCK = $(UV) pip compile --quiet --generate-hashes --no-emit-index-url --universal --python-version 3.11 \
	--no-annotate --no-header

lock:  ## the locked dependencies, after a change in pyproject.toml (needs uv)
	$(LOCK) pyproject.toml --extra embedded --group dev -o requirements/dev.txt
	$(LOCK) pyproject.toml --extra embedded --group build -c requirements/dev.txt -o requirements/run.txt
	$(LOCK) pyproject.toml -c requirements/dev.txt -o requirements/controller.txt
	$(LOCK) --group runner -c requirements/dev.txt -o requirements/runner.txt
	$(LOCK) --group fuzz -c requirements/dev.txt -o requirements/fuzz.txt
	$(LOCK) --group supply -c requirements/dev.txt -o requirements/supply.txt
	$(LOCK) --group bench -c requirements/dev.txt -o requirements/bench.txt
	echo 'hatchling>=1.27' | $(LOCK) - -c requirements/dev.txt -o requirements/build.txt

manifests: prepare-chart  ## manifests/affirm-worker.yaml, from the chart
	"$(HELM)" template affirm-worker \
	  charts/affirm-worker --namespace affirm-worker --values manifests/values.yaml > manifests/.new
	mv manifests/.new manifests/affirm-worker.yaml

docs: $(VENV)/.dev  ## the documents that are made from code
	$(BIN)/python -m docs.generate

IMAGE_ARGS = $(if $(BASE),--build-arg BASE=$(BASE)) --build-arg VERSION=$(VERSION) \
	--build-arg REVISION=$(shell git rev-parse HEAD 2>/dev/null)

# The names are what a cluster makes of the chart's: podman would call them localhost/… by itself.
ENGINE ?= docker
IMAGES := docker.io/library/affirm-worker:$(VERSION) docker.io/library/affirm-parser-runner:$(VERSION)
ARCHIVE := dist/images.tar
SAVE.docker := save
SAVE.podman := save --multi-image-archive

images: sbom  ## the two images with their bills of materials; ENGINE=podman for another than docker; BASE=name@sha256:… pins what they stand on; LOAD=kind|minikube|k3s loads them into that cluster (CLUSTER=name)
	@test -z '$(filter-out kind minikube k3s,$(LOAD))' || { echo "make images takes LOAD=kind, minikube or k3s" >&2; exit 2; }
	$(ENGINE) build $(IMAGE_ARGS) --target controller --tag $(word 1,$(IMAGES)) .
	$(ENGINE) build $(IMAGE_ARGS) --target parser-runner --tag $(word 2,$(IMAGES)) .
	$(if $(LOAD),@$(MAKE) --no-print-directory load-$(LOAD))

$(ARCHIVE):
	@mkdir -p $(@D)
	$(ENGINE) $(SAVE.$(notdir $(ENGINE))) --output $@ $(IMAGES)

.PHONY: load-kind load-minikube load-k3s $(ARCHIVE)

load-kind: $(ARCHIVE)
	kind load image-archive $(ARCHIVE)$(if $(CLUSTER), --name $(CLUSTER))

load-minikube: $(ARCHIVE)
	minikube$(if $(CLUSTER), --profile $(CLUSTER)) image load $(ARCHIVE)

load-k3s: $(ARCHIVE)
	sudo k3s ctr images import $(ARCHIVE)

sbom: .supply/.done  ## dist/sbom: the bills of materials of the images, as CycloneDX
	@.supply/bin/python -m supply.sbom dist/sbom

audit: .supply/.done  ## what is known against the locked packages; 75 if nobody can be asked
	@.supply/bin/python -m supply.audit

vendor: $(VENV)/.dev  ## the files of others that pages load, as dashboard/static/vendor.lock has them
	$(BIN)/python -m supply.vendor

# --- a release: docs/releasing.md -----------------------------------------------------------------------------------

# TAG, BASE and REGISTRY also come from the environment: there no shell reads them.
RELEASE := dist/release
PLATFORMS ?= linux/amd64,linux/arm64
RELEASED = docker buildx build $(IMAGE_ARGS) --platform $(PLATFORMS) --provenance mode=max --push \
	--tag $(REGISTRY)/$(1):$(VERSION) --metadata-file $(RELEASE)/$(1).json --target $(2) .
HELM = $$($(BIN)/python -c 'from tests.cluster.binaries import helm; print(helm())')

release-check: prepare-chart  ## whether this checkout can be released; TAG=v0.1.0 BASE=name@sha256:… as a release asks it
	@$(BIN)/python -m supply.release_check

release-notes: $(VENV)/.dev  ## what the changelog says of this version
	@$(BIN)/python -m supply.release_check --notes

release-base:  ## the digest of the image that a release stands on, from its registry (Docker)
	@from=$$(sed -n 's/^ARG BASE=//p' Dockerfile); \
	digest=$$(docker buildx imagetools inspect "$$from" --format '{{.Manifest.Digest}}') && echo "$$from@$$digest"

release-base-output:
	@base=$$($(MAKE) --silent release-base) && echo "base=$$base"

release-images: needs-registry  ## pushes the images for PLATFORMS to REGISTRY=ghcr.io/somebody; BASE=name@sha256:…
	@mkdir -p $(RELEASE)
	$(call RELEASED,affirm-worker,controller)
	$(call RELEASED,affirm-parser-runner,parser-runner)

release-chart: needs-registry prepare-chart  ## pushes the chart, which names those images by digest, to REGISTRY/charts; HELM_PUSH=--plain-http
	@set -e; helm="$(HELM)"; \
	"$$helm" package "$$($(BIN)/python -m supply.released_chart $(REGISTRY))" --destination $(RELEASE); \
	"$$helm" push $(HELM_PUSH) $(RELEASE)/affirm-worker-$(VERSION).tgz oci://$(REGISTRY)/charts > $(RELEASE)/chart.txt 2>&1 \
	  || { cat $(RELEASE)/chart.txt; exit 1; }; cat $(RELEASE)/chart.txt

release-sign: needs-registry sbom $(VENV)/.dev  ## signs images and chart, and attests the bills of materials (cosign, keyless)
	@set -e; all=$$($(BIN)/python -m supply.released $(REGISTRY)); \
	images=$$($(BIN)/python -m supply.released $(REGISTRY) images); \
	for one in $$all; do cosign sign --yes $${one#*=}; done; \
	for one in $$images; do cosign attest --yes --type cyclonedx \
	  --predicate dist/sbom/$${one%%=*}.cdx.json $${one#*=}; done

release-outputs: needs-registry $(VENV)/.dev
	@$(BIN)/python -m supply.released $(REGISTRY) --outputs

release-announce: $(VENV)/.dev  ## makes the release's page of the tag from the changelog (GitHub's gh)
	@mkdir -p $(RELEASE)
	@$(BIN)/python -m supply.release_check --notes > $(RELEASE)/notes.md
	gh release create v$(VERSION) --verify-tag --title $(VERSION) --notes-file $(RELEASE)/notes.md

needs-registry:
	@test -n "$(REGISTRY)" || { echo "say where: REGISTRY=ghcr.io/somebody" >&2; exit 2; }

format: $(VENV)/.dev  ## code, as ruff has it
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:  ## removes the venv, and what tests and benchmarks left; the database of make run stays
	@# Its programs may be those of this venv.
	@[ ! -x $(BIN)/affirm-worker ] || $(BIN)/affirm-worker db stop || true
	rm -rf $(VENV) .bench .supply benchmarks/results
	@echo "the embedded database stays, other checkouts may use it; docs/hosts.md has how to remove it"
