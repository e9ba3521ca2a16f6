#!/usr/bin/env bash
# SPECS: file or folder; CONFIG: settings, or empty. What would change becomes a comment on the pull request, if there is
# one, and the summary of the job.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
bin="${LOGROUTE_BIN:-$RUNNER_TEMP/logroute/bin}"
plan="$RUNNER_TEMP/logroute-plan.md"

options=(--source "$SPECS" --format markdown)
if [ -n "$CONFIG" ]; then options+=(--config "$CONFIG"); fi
status=0
"$bin/logroute" plan "${options[@]}" >"$plan" || status=$?
cat "$plan" >>"$GITHUB_STEP_SUMMARY"
if [ "$status" -ne 0 ] && [ "$status" -ne 2 ]; then
  echo "::error::logroute plan failed; see above"
  exit 1
fi
changes=false
if [ "$status" -eq 2 ]; then changes=true; fi
echo "changes=$changes" >>"$GITHUB_OUTPUT"
"$bin/python" "$here/comment.py" <"$plan"
