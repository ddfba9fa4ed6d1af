#!/usr/bin/env bash
# Fails, and shows the difference, when a generated file is not as committed.
#
#   hack/verify-generated.sh PATH...
set -euo pipefail

changed=$(git status --porcelain --untracked-files=all -- "$@")
if [[ -z $changed ]]; then
  echo "generated files are up to date"
  exit
fi
git --no-pager diff HEAD -- "$@"
printf 'these generated files differ from what is committed:\n%s\nrun "make generate manifests docs" and commit the result\n' "$changed" >&2
exit 1
