#!/usr/bin/env bash
# check-docs.sh [page…]: runs pages exactly as printed, the README's walk-through first and then every page that is marked: in a copy of
# this folder without anything that is not committed or new, block by block in one shell, each page beside a server of its own. What a
# block prints is compared with its lines "# → …". It needs port 8000.
#
# A page is marked by <!-- walk-through: … -->, with what it says that its reader has already:
#   NAME=value      a setting of the server
#   server          a server that runs, with $lintel and $json
#   account         mason@example.com, with $token
#   administrator   admin@example.com, with $admin
#   cli             the command line on PATH
# and ends with <!-- /walk-through --> or with its last line.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

port_is_taken() { (exec 3<>/dev/tcp/127.0.0.1/8000) 2>/dev/null; }

if port_is_taken; then
  die 'Something listens on port 8000 already, where the pages start their servers. Stop it first.'
fi

pages=("$@")
if [ ${#pages[@]} -eq 0 ]; then
  pages=(README.md)
  while IFS= read -r page; do pages+=("$page"); done < <(grep -rl --include='*.md' '^<!-- walk-through' docs | sort)
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/lintel-docs.XXXXXX")
copy=$work/lintel
mkdir "$copy"
group=
# Everything that a page starts is in one process group, whatever the page leaves running.
stop_page() {
  if [ -n "$group" ]; then kill -KILL -- "-$group" 2>/dev/null || true; fi
  group=
}
trap 'stop_page; rm -rf "$work"' EXIT

git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
  if [ -e "$file" ]; then printf '%s\0' "$file"; fi
done | xargs -0 cp --parents --target-directory "$copy"

# What a reader of a marked page has already, as a script.
write_setup() {
  local word settings=()
  for word in $1; do
    case $word in
      *=*) settings+=("$word") ;;
      server)
        cat <<SETUP
(echo "\$BASHPID" > artifacts/server.pid; exec env ASPNETCORE_ENVIRONMENT=Development ${settings[*]} artifacts/server/Lintel.Server) > server.log 2>&1 &
curl -fsS -o health --retry 60 --retry-delay 1 --retry-connrefused http://127.0.0.1:8000/health 2> health.errors
lintel=http://127.0.0.1:8000
json='Content-Type: application/json'
access_token_of() { curl -fsS \$lintel/auth/login -H "\$json" -d "{\"email\":\"\$1\",\"password\":\"correct horse battery\"}" | sed 's/.*"access_token":"\([^"]*\)".*/\1/'; }
SETUP
        ;;
      account)
        cat <<'SETUP'
curl -fsS -o account.json $lintel/auth/register -H "$json" -d '{"email":"mason@example.com","password":"correct horse battery","name":"Mason"}'
token=$(access_token_of mason@example.com)
SETUP
        ;;
      administrator)
        cat <<'SETUP'
curl -fsS -o administrator.json --unix-socket data/run/admin.sock http://localhost/local/admins -H "$json" -d '{"email":"admin@example.com","password":"correct horse battery"}'
admin=$(access_token_of admin@example.com)
SETUP
        ;;
      cli) printf "export PATH=%q:\$PATH XDG_CONFIG_HOME=%q\n" "$copy/artifacts/cli" "$work/config" ;;
      *) die "<!-- walk-through: $1 -->: there is no \"$word\"; scripts/check-docs.sh says what there is." ;;
    esac
  done
}

# run_page page: in $work are then its script, its answers, and what they should have been.
run_page() {
  local page=$1 setup code=0
  setup=$(sed -n 's/^<!-- walk-through: *\(.*[^ ]\) *-->.*/\1/p' "$page")
  rm -rf "$copy/data" "$work/config" "$work/expected"
  write_setup "$setup" >"$work/script"
  touch "$work/expected"
  # From the page's ```sh blocks: a script that says where each begins, and what each must print.
  awk -v script="$work/script" -v expected="$work/expected" '
    /^<!-- walk-through/ { inside = 1 }
    /^<!-- \/walk-through -->/ { inside = 0 }
    inside && /^```sh$/ { block++; code = 1; printf "echo; echo \"== block %d\"\n", block >> script; next }
    /^```/ { code = 0 }
    code { print >> script }
    code && sub(/^# → /, "") { printf "%d\t%s\n", block, $0 >> expected }
  ' "$page"
  grep -q '^echo; echo "== block' "$work/script" || die "$page has no walk-through."

  (
    cd "$copy"
    # As somebody who has just cloned it: no settings of ours, and no job control.
    unset SECRET_KEY DATABASE_URL LINTEL_DATA PORT HOST API_KEY ENV_FILE ASPNETCORE_ENVIRONMENT LINTEL_SERVER LINTEL_API_KEY
    exec timeout --kill-after=10 "${DOCS_TIMEOUT_SECONDS:-900}" bash -eu "$work/script" </dev/null
  ) >"$work/output" 2>"$work/errors" &
  group=$!
  wait "$group" || code=$?
  stop_page
  for _ in $(seq 50); do
    if ! port_is_taken; then break; fi
    sleep 0.1
  done

  # Each block's answers must be among what it printed, in their order. wc pads its numbers on some systems.
  awk -F '\t' '
    FILENAME == ARGV[1] { wanted[$1, ++count[$1]] = $2; next }
    /^== block / { block = substr($0, 10); next }
    { sub(/^ +/, "") }
    count[block] > seen[block] && $0 == wanted[block, seen[block] + 1] { seen[block]++ }
    END {
      for (block in count) for (i = seen[block] + 1; i <= count[block]; i++) printf "Block %s did not print: %s\n", block, wanted[block, i]
    }' "$work/expected" "$work/output" >"$work/missing"
  [ "$code" -eq 0 ] && [ ! -s "$work/missing" ] && return
  cat "$work/missing"
  say "--- what $page printed" && cut -c 1-300 "$work/output" | head -n 200
  say "--- its errors" && tail -n 40 "$work/errors"
  say "--- the server's last lines" && tail -n 20 "$copy/server.log" 2>/dev/null | cut -c 1-600
  say "$page does not run as printed (exit code $code, $(wc -l <"$work/missing") lines missing)."
  return 1
}

# The README builds the server that the pages after it use; without it, what was built here is up to date soonest.
if [ "${pages[0]}" != README.md ]; then
  scripts/build.sh server cli
  mkdir "$copy/artifacts"
  cp -a artifacts/server artifacts/cli "$copy/artifacts"
fi

failed=()
for page in "${pages[@]}"; do
  started=$SECONDS
  if grep -q '^<!-- walk-through:.* cli' "$page" && [ ! -e "$copy/artifacts/cli" ]; then (cd "$copy" && scripts/build.sh cli); fi
  if run_page "$page"; then
    say "$page ran as printed in $((SECONDS - started)) s: $(grep -c '^== block' "$work/output") blocks, $(wc -l <"$work/expected") answers compared."
  else
    failed+=("$page")
  fi
done
[ ${#failed[@]} -eq 0 ] || die "Not as printed: ${failed[*]}"
