#!/usr/bin/env bash
# Runs the test projects that scripts/test.sh has built, one after the other, and adds up what they report.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

results=$(mktemp -d "${TMPDIR:-/tmp}/lintel-tests.XXXXXX")
trap 'rm -rf "$results"' EXIT
export TMPDIR=$results/tmp
mkdir "$TMPDIR"
# Some tests run programs as other users, who must get to what is theirs.
chmod 711 "$results" "$TMPDIR"

# Long enough for a slow machine, short enough that a test which hangs is reported the same day.
limit=${TEST_TIMEOUT_SECONDS:-2400}
options=(-noLogo -noAutoReporters -reporter quiet -longRunning 60)
if [ ! -t 1 ]; then options+=(-noColor); fi

passed=0 failed=0 skipped=0 broken=0

number() { sed -n "s/.*<assembly [^>]*[ ]$1=\"\([0-9]*\)\".*/\1/p" "$2" | head -n 1; }

for folder in tests/*/; do
  project=$(basename "$folder")
  if [ -n "${PROJECT:-}" ] && [ "$PROJECT" != "$project" ]; then continue; fi
  program=${folder}bin/Release/net10.0/$project
  [ -x "$program" ] || continue

  say "Running $project …"
  report=$results/$project.xml
  started=$SECONDS
  code=0
  timeout --kill-after=30 "$limit" "$program" "${options[@]}" -xml "$report" "$@" </dev/null || code=$?

  if [ -s "$report" ] && grep -q '<assembly ' "$report"; then
    succeeded=$(number passed "$report")
    failures=$(($(number failed "$report") + $(number errors "$report")))
    passed=$((passed + succeeded))
    failed=$((failed + failures))
    skipped=$((skipped + $(number skipped "$report")))
    say "  $succeeded of $((succeeded + failures)) passed in $((SECONDS - started)) s"
    if [ "$code" -ne 0 ] && [ "$failures" -eq 0 ]; then broken=$code; fi
  else
    # It crashed or was stopped: what it did not report did not pass.
    say "  ended with exit code $code and reported nothing"
    failed=$((failed + 1))
  fi
done

[ "$broken" -eq 0 ] || say "A test project ended with exit code $broken though none of its tests failed."
[ $((passed + failed)) -gt 0 ] || say 'No test ran.'

totals="$passed passed, $failed failed"
if [ "$skipped" -gt 0 ]; then totals="$totals, $skipped skipped"; fi
printf '\n%s\n' "$totals"
[ "$failed" -eq 0 ] && [ "$broken" -eq 0 ] && [ "$passed" -gt 0 ]
