#!/usr/bin/env bash
# Builds the real programs that tests, the demo and the checks run, each from
# the Go module pinned beside this script, and links them into bin/.
#
#   hack/tools/build.sh TOOL...      for example: hack/tools/build.sh etcd kubectl
#
# A binary is built once for each content of its module folder and each Go
# version, into EXPERIENCE_TOOLS_DIR (default: experience-slo/tools in the user's
# cache folder), so clones and branches share it and a second run only links.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bin=$(cd "$here/../.." && pwd)/bin
store=${EXPERIENCE_TOOLS_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/experience-slo/tools}
export CGO_ENABLED=0 GOWORK=off

say() { printf 'tools: %s\n' "$*" >&2; }

die() {
  say "$@"
  exit 1
}

# pinned prints the version of module $2 in the go.mod of module folder $1.
pinned() { sed -nE "s#^(require)?[[:space:]]*$2 (v[^ ]+).*#\\2#p" "$here/$1/go.mod" | head -n 1; }

# describe sets how tool $1 is built: module folder, package, version, extra
# arguments of go build, and about how long a first build takes on two cores.
describe() {
  dir=$1 args=() ld='-s -w' about='1 min'
  case $1 in
  kube-apiserver | kubectl)
    dir=kubernetes pkg=k8s.io/kubernetes/cmd/$1 version=$(pinned kubernetes k8s.io/kubernetes)
    local minor=${version#v1.} at=k8s.io/component-base/version
    ld+=" -X $at.gitVersion=$version -X $at.gitMajor=1 -X $at.gitMinor=${minor%%.*}"
    if [[ $1 == kube-apiserver ]]; then about='4 min'; fi
    ;;
  etcd) pkg=go.etcd.io/etcd/server/v3 version=$(pinned etcd go.etcd.io/etcd/server/v3) ;;
  prometheus | promtool)
    # Without remove_all_sd every cloud's client is linked in: twice the time
    # and three times the size. Static and file discovery stay.
    dir=prometheus pkg=github.com/prometheus/prometheus/cmd/$1 args=(-tags remove_all_sd)
    version=$(pinned prometheus github.com/prometheus/prometheus)
    # The module v0.311.3 is Prometheus 3.11.3.
    ld+=" -X github.com/prometheus/common/version.Version=$(sed -E 's/^v0\.30?/3./' <<<"$version")"
    if [[ $1 == prometheus ]]; then about='4 min'; fi
    ;;
  alertmanager)
    pkg=github.com/prometheus/alertmanager/cmd/$1 version=$(pinned "$1" github.com/prometheus/alertmanager)
    ld+=" -X github.com/prometheus/common/version.Version=${version#v}"
    ;;
  controller-gen) pkg=sigs.k8s.io/controller-tools/cmd/$1 version=$(pinned "$1" sigs.k8s.io/controller-tools) ;;
  crd-ref-docs) pkg=github.com/elastic/crd-ref-docs version=$(pinned "$1" github.com/elastic/crd-ref-docs) ;;
  kube-api-linter) pkg=. version=$(pinned "$1" sigs.k8s.io/kube-api-linter) ;;
  esbuild) pkg=github.com/evanw/esbuild/cmd/$1 version=$(pinned "$1" github.com/evanw/esbuild) ;;
  otelcol) pkg=. version=$(pinned "$1" go.opentelemetry.io/collector/otelcol) about='5 min' ;;
  golangci-lint)
    pkg=github.com/golangci/golangci-lint/v2/cmd/$1 about='5 min'
    version=$(pinned "$1" github.com/golangci/golangci-lint/v2)
    ld+=" -X main.version=$version"
    ;;
  *) die "unknown tool '$1': the tools are etcd kube-apiserver kubectl prometheus promtool alertmanager controller-gen crd-ref-docs kube-api-linter golangci-lint esbuild otelcol" ;;
  esac
}

# require_go stops with advice when the Go toolchain is missing or too old.
require_go() {
  local wanted
  wanted=$(sed -n 's/^go //p' "$here/etcd/go.mod")
  command -v go >/dev/null || die "Go is not installed: install Go $wanted or newer from https://go.dev/dl/ and put it on the PATH"
  goversion=$(cd "$here/etcd" && go env GOVERSION) ||
    die "this needs Go $wanted or newer: install it from https://go.dev/dl/, or run 'go env -w GOTOOLCHAIN=auto' to let Go fetch it"
  if [[ $(printf '%s\n' "$wanted" "${goversion#go}" | sort -V | head -n 1) != "$wanted" ]]; then
    die "this needs Go $wanted or newer and found $goversion: install it from https://go.dev/dl/, or run 'go env -w GOTOOLCHAIN=auto' to let Go fetch it"
  fi
}

# key prints what the built binary depends on, as a short hash.
key() {
  {
    cat "$here/$dir"/go.{mod,sum}
    find "$here/$dir" -name '*.go' -exec cat {} +
    printf '%s\n' "$goversion" "${GOOS-} ${GOARCH-}" "$pkg" "$ld" "${args[*]-}"
  } | git hash-object --stdin | cut -c 1-12
}

# explain says what to do about the failed build of tool $1, whose output is in $2.
explain() {
  if grep -qE 'dial tcp|no such host|i/o timeout|TLS handshake|reading https?:|: Get "http|checksum mismatch|lookup disabled' "$2"; then
    say "$1: a module could not be downloaded. Check the network and 'go env GOPROXY GOSUMDB'; behind a company proxy set GOPROXY to it. What was downloaded is kept: run the same command again."
  elif grep -q 'no space left' "$2"; then
    say "$1: the disk is full. A first build needs about 6 GB in 'go env GOCACHE GOMODCACHE' and $store."
  else
    say "$1: the build failed, see above. Nothing half done is left behind; run the same command again."
  fi
}

# build compiles the described tool $1 to $2. The rename at the end is what makes
# it exist, so an interrupted build leaves nothing that looks complete.
build() {
  local started=$SECONDS
  rm -rf "$store/.building-$1."* # of a run that was killed; the lock says it is gone
  work=$(mktemp -d "$store/.building-$1.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  say "building $1 $version (about $about, once) ..."
  if ! (cd "$here/$dir" && "$here/../progress.sh" "$1" \
    go build -trimpath -buildvcs=false "${args[@]}" -ldflags "$ld" -o "$work/out/$1" "$pkg") 2>&1 | tee "$work/log" >&2; then
    explain "$1" "$work/log"
    exit 1
  fi
  mv "$work/out" "$(dirname "$2")"
  say "built $1 $version in $((SECONDS - started))s"
}

# ensure builds tool $1 unless it exists, one run at a time, and links it.
ensure() {
  describe "$1"
  local binary
  binary=$store/$1-$(key)/$1
  if [[ ! -x $binary ]]; then
    (
      if command -v flock >/dev/null && ! flock -n 9; then
        say "waiting for another run that builds $1 ..."
        flock 9
      fi
      [[ -x $binary ]] || build "$1" "$binary" 9>&-
    ) 9>"$store/.$1.lock"
  fi
  if [[ $(readlink "$bin/$1" || true) != "$binary" ]]; then
    ln -s "$binary" "$bin/.$1.$$" && mv -f "$bin/.$1.$$" "$bin/$1"
  fi
}

(($# > 0)) || die "name at least one tool, for example: hack/tools/build.sh etcd kubectl"
require_go
mkdir -p "$store" "$bin"
for tool in "$@"; do ensure "$tool"; done
