#!/usr/bin/env bash
# Runs go test and says at the end what failed, which is far above by then: what
# does not compile, and each test that failed, with what it said. With -v, what a
# test said stands before the line of its failure and is not repeated.
#
#   hack/test.sh [ARGUMENT...]
set -euo pipefail

log=$(mktemp)
trap 'rm -f "$log"' EXIT

status=0
hack/progress.sh "compiling and running tests (the first time takes many minutes)" \
  bash -c 'exec go test "$@" 2>&1' test "$@" | tee "$log" || status=$?
if ((status != 0)); then
  printf '\n==> What failed:\n'
  # What programs logged is not indented, and mostly of others.
  awk '
    /^ *--- (PASS|SKIP)/ || /^(ok|PASS|===)/ { failing = 0 }
    /^ *--- FAIL/ || /^panic: / { failing = 1; said = 0 }
    /^goroutine / { failing = 0 }
    /^FAIL|^panic: |^fatal error: |^WARNING: DATA RACE|^# |\.go:[0-9]+:[0-9]+: / { print substr($0, 1, 300); next }
    failing && /^[ \t]/ && said++ < 25 || /^--- FAIL/ { print substr($0, 1, 300) }
  ' "$log"
fi
exit "$status"
