# Targets with a comment after ## are listed by `make help`.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
IMAGE ?= ghcr.io/experience-slo/operator:$(VERSION)
# How long each Fuzz function and each benchmark runs.
FUZZTIME ?= 20s
BENCHTIME ?= 1s
# How many packages are tested at the same time: some wait for minutes, for rules
# that Prometheus evaluates once a minute.
PACKAGES ?= 4
# The race detector makes Prometheus' query engine and database six times slower, and
# the reader of YAML four times; tests ask them more than anything else. These packages
# are compiled without it: it watches this code, and all else that runs with it.
# `make test UNWATCHED=` watches them as well.
PROMETHEUS := github.com/prometheus/prometheus
UNWATCHED ?= $(PROMETHEUS)/promql $(PROMETHEUS)/tsdb/... $(PROMETHEUS)/storage $(PROMETHEUS)/model/... $(PROMETHEUS)/rules go.yaml.in/yaml/...
# More arguments for go test, for example TESTFLAGS='-run TestRatio -v'.
TESTFLAGS ?=

# The version comes from git above, so builds do not ask git again and also work
# in an exported tree.
GOBUILD := go build -buildvcs=false -ldflags "-s -w -X main.version=$(VERSION)"
GENERATED := api/v1alpha1/zz_generated.deepcopy.go config/crd/bases config/rbac/role.yaml docs/api.md

# Tests that use envtest find the same programs as hack/parts.
export KUBEBUILDER_ASSETS := $(CURDIR)/bin

.PHONY: help
help: ## Show what can be made.
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: parts ## Run the operator with a real API server and Prometheus on this machine. DEMO_ONCE=1 ends by itself.
	@hack/progress.sh "compiling the demo (about 3 min the first time)" $(GOBUILD) -o bin/ ./cmd/manager ./cmd/kubectl-experience ./hack/demo
	@bin/demo

.PHONY: test
test: parts ## Run all tests with the race detector, end to end on real parts. TESTFLAGS adds arguments.
	@hack/test.sh -race $(UNWATCHED:%=-gcflags=%=-race=false) -timeout 40m -p $(PACKAGES) $(TESTFLAGS) ./...

.PHONY: bench
bench: parts ## Print the figures of speed, memory, queries and writes. BENCHTIME sets how long each runs.
	go test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) -timeout 60m ./internal/... ./controllers/... ./cmd/...

.PHONY: fuzz
fuzz: ## Run each Fuzz function for FUZZTIME.
	@hack/fuzz.sh $(FUZZTIME)

.PHONY: collectors
collectors: tool-otelcol ## Send events through a real OpenTelemetry Collector with the shipped configuration.
	EXPERIENCE_OTELCOL=$(CURDIR)/bin/otelcol go test ./docs -count=1 -v -run TestCollector

.PHONY: generate
generate: tool-controller-gen ## Generate the DeepCopy methods.
	bin/controller-gen object:headerFile=hack/boilerplate.go.txt paths=./api/...

.PHONY: manifests
manifests: tool-controller-gen ## Generate the CRDs and the manager's role.
	bin/controller-gen crd paths=./api/... output:crd:artifacts:config=config/crd/bases
	bin/controller-gen rbac:roleName=manager-role paths=./controllers/... output:rbac:artifacts:config=config/rbac

.PHONY: docs
docs: tool-crd-ref-docs ## Generate docs/api.md.
	@mkdir -p docs
	bin/crd-ref-docs --log-level=WARN --source-path=api --config=hack/crd-ref-docs.yaml --renderer=markdown --output-path=docs/api.md

.PHONY: lint
lint: tool-golangci-lint tool-kube-api-linter ## Run the linters.
	@hack/progress.sh "linting" bin/golangci-lint run
	bin/kube-api-linter -test=false ./api/...

.PHONY: verify
verify: generate manifests docs ## Generate everything, fail if that changes a file, and run the linters.
	@hack/verify-generated.sh $(GENERATED)
	@$(MAKE) --no-print-directory lint

.PHONY: build
build: ## Build the operator's programs into bin/.
	$(GOBUILD) -trimpath -o bin/ ./cmd/...

.PHONY: image
image: ## Build the container image.
	docker build --build-arg VERSION=$(VERSION) -t $(IMAGE) .

.PHONY: parts
parts: ## Build the programs that tests and the demo run: etcd, kube-apiserver, kubectl, Prometheus, promtool, Alertmanager.
	@hack/tools/build.sh etcd kube-apiserver kubectl prometheus promtool alertmanager

# tool-NAME builds one of the pinned programs.
tool-%:
	@hack/tools/build.sh $*
