#!/usr/bin/env bash
# SPECS: file or folder. Every problem becomes an annotation at its line.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
bin="${LOGROUTE_BIN:-$RUNNER_TEMP/logroute/bin}"
problems="$RUNNER_TEMP/logroute-problems.json"

status=0
"$bin/logroute" validate --format json -- "$SPECS" >"$problems" || status=$?
if [ ! -s "$problems" ]; then
  echo "::error::logroute validate could not begin; see above"
  exit 1
fi
"$bin/python" "$here/annotate.py" <"$problems"
exit "$status"
