#!/usr/bin/env bash
# Runs the README's walk-through exactly as printed: in a copy of this folder without anything that is not committed or new,
# block by block in one shell, and compares what a block prints with its lines "# → …". It needs port 8000.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

if (exec 3<>/dev/tcp/127.0.0.1/8000) 2>/dev/null; then
  die 'Something listens on port 8000 already, where the walk-through starts its server. Stop it first.'
fi

copy=$(mktemp -d "${TMPDIR:-/tmp}/lintel-readme.XXXXXX")
stop_server() {
  local pid
  # Only a server that runs from our own copy: its number may have passed to another program.
  pid=$(cat "$copy/artifacts/server.pid" 2>/dev/null || echo none)
  if [ "$(readlink "/proc/$pid/cwd" 2>/dev/null)" = "$copy" ]; then kill -9 "$pid"; fi
  rm -rf "$copy"
}
trap stop_server EXIT

git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
  if [ -e "$file" ]; then printf '%s\0' "$file"; fi
done | xargs -0 cp --parents --target-directory "$copy"

# From the walk-through's ```sh blocks: a script that says where each begins, and what each must print.
awk -v script="$copy/walk-through.sh" -v expected="$copy/expected" '
  /^<!-- walk-through -->/ { inside = 1 }
  /^<!-- \/walk-through -->/ { inside = 0 }
  inside && /^```sh$/ { block++; code = 1; printf "echo; echo \"== block %d\"\n", block > script; next }
  /^```/ { code = 0 }
  code { print > script }
  code && sub(/^# → /, "") { printf "%d\t%s\n", block, $0 > expected }
' README.md

started=$SECONDS
code=0
(
  cd "$copy"
  # As somebody who has just cloned it: no settings of ours, and no job control.
  unset SECRET_KEY DATABASE_URL LINTEL_DATA PORT HOST API_KEY ENV_FILE ASPNETCORE_ENVIRONMENT
  timeout --kill-after=10 "${README_TIMEOUT_SECONDS:-900}" bash -eu walk-through.sh </dev/null
) >"$copy/output" 2>"$copy/errors" || code=$?

# Each block's answers must be among what it printed, in their order. wc pads its numbers on some systems.
awk -F '\t' '
  FNR == NR { wanted[$1, ++count[$1]] = $2; next }
  /^== block / { block = substr($0, 10); next }
  { sub(/^ +/, "") }
  count[block] > seen[block] && $0 == wanted[block, seen[block] + 1] { seen[block]++ }
  END {
    for (block in count) for (i = seen[block] + 1; i <= count[block]; i++) printf "Block %s did not print: %s\n", block, wanted[block, i]
  }' "$copy/expected" "$copy/output" >"$copy/missing"
failures=$(wc -l <"$copy/missing")
cat "$copy/missing"

if [ "$code" -ne 0 ] || [ "$failures" -ne 0 ]; then
  say "--- what it printed" && cut -c 1-300 "$copy/output" | head -n 200
  say "--- its errors" && tail -n 40 "$copy/errors"
  say "--- the server's last lines" && tail -n 20 "$copy/server.log" 2>/dev/null
  die "The README's walk-through does not run as printed (exit code $code, $failures lines missing)."
fi

say "The README's walk-through ran as printed in $((SECONDS - started)) s: $(grep -c '^== block' "$copy/output") blocks, $(wc -l <"$copy/expected") answers compared."
