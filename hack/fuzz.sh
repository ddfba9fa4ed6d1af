#!/usr/bin/env bash
# Runs each Fuzz function of the module for a while, one after another.
#
#   hack/fuzz.sh TIME        for example: hack/fuzz.sh 20s
set -euo pipefail

found=0
while IFS=: read -r file name; do
  found=$((found + 1))
  printf 'fuzzing %s of %s for %s\n' "$name" "$(dirname "$file")" "$1"
  go test -run '^$' -fuzz "^$name\$" -fuzztime "$1" "./$(dirname "$file")"
done < <(git grep --untracked -oE '^func Fuzz[A-Za-z0-9_]+' -- '*_test.go' | sed 's/func //' | sort)
if ((found == 0)); then
  echo "there is no Fuzz function" >&2
  exit 1
fi
