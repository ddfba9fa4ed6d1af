#!/usr/bin/env bash
# Runs a slow command and says every 15 s that it still runs, so that a person
# who watches knows it does not hang.
#
#   hack/progress.sh "what it does" COMMAND [ARGUMENT...]
set -euo pipefail

what=$1
shift

# The sleep holds neither the terminal nor a file, so nothing waits for it.
tick() {
  local passed=0
  while sleep 15 </dev/null >/dev/null 2>&1; do
    passed=$((passed + 15))
    printf '  ... %s: %ds\n' "$what" "$passed" >&2
  done
}

tick &
ticker=$!
trap 'kill $ticker 2>/dev/null || true' EXIT
"$@"
