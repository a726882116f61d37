#!/usr/bin/env bash
# with-postgres.sh command…: runs the command beside a private PostgreSQL, whose address it finds in
# LINTEL_TEST_POSTGRES, and leaves nothing of it behind. An address that is already set is used as it is.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[ $# -gt 0 ] || die "usage: scripts/with-postgres.sh command…"
if [ -n "${LINTEL_TEST_POSTGRES:-}" ]; then exec "$@"; fi

find_postgres() {
  local place
  for place in $(compgen -G '/usr/lib/postgresql/*/bin' | sort -rV) /usr/pgsql-*/bin /usr/local/pgsql/bin \
    "$(dirname "$(command -v initdb || echo /none/initdb)")"; do
    if [ -x "$place/initdb" ] && [ -x "$place/postgres" ]; then
      bin=$place
      return 0
    fi
  done
  return 1
}

if ! find_postgres; then
  wanted="The tests run on PostgreSQL as well as on SQLite, and no PostgreSQL server is on this machine.
Install it, then run this again (or set LINTEL_TEST_POSTGRES=postgresql://user:password@host:port/database):
  sudo apt-get install --no-install-recommends postgresql"
  apt_install postgresql
  find_postgres || die "$wanted"
fi

# PostgreSQL refuses to run as root, so root lends it to a user who owns nothing else of ours.
owner=()
folder=$(mktemp -d "${TMPDIR:-/tmp}/lintel-postgres.XXXXXX")
server=
cleanup() {
  if [ -n "$server" ]; then
    kill -INT "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  fi
  rm -rf "$folder"
}
trap cleanup EXIT

if [ "$(id -u)" -eq 0 ]; then
  user=postgres
  id "$user" >/dev/null 2>&1 || user=nobody
  owner=(setpriv "--reuid=$user" "--regid=$(id -g "$user")" --clear-groups)
  chmod 711 "$folder"
  if ! "${owner[@]}" test -x "$folder"; then
    rm -rf "$folder"
    folder=$(mktemp -d /tmp/lintel-postgres.XXXXXX)
    chmod 711 "$folder"
  fi
fi

data=$folder/data log=$folder/log
mkdir "$data"
touch "$log"
password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
printf '%s\n' "$password" >"$folder/password"
if [ ${#owner[@]} -gt 0 ]; then chown -R "$user" "$data" "$log" "$folder/password"; fi

as_owner() { (cd "$folder" && env -u PGDATA LC_ALL=C "${owner[@]}" "$@"); }
as_owner "$bin/initdb" --pgdata="$data" --username=lintel --pwfile="$folder/password" \
  --auth=scram-sha-256 --encoding=UTF8 --no-locale >"$folder/initdb.log" 2>&1 ||
  { cat "$folder/initdb.log" >&2; die "PostgreSQL could not be set up in $folder."; }

# Below the ports that the system hands out to clients, and tried again when another run was faster.
for _ in 1 2 3 4 5 6 7 8 9 10; do
  port=$(shuf -i 20000-32000 -n 1)
  # pdeathsig: not even a `kill -9` of this script leaves a server behind. No fsync: the tests kill our server, never the machine.
  (
    cd "$folder"
    exec env -u PGDATA LC_ALL=C setpriv "${owner[@]:1}" --pdeathsig=INT "$bin/postgres" -D "$data" -p "$port" \
      -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=300 -c shared_buffers=64MB -c fsync=off
  ) >>"$log" 2>&1 </dev/null &
  server=$!
  while kill -0 "$server" 2>/dev/null; do
    if "$bin/pg_isready" --quiet --host=127.0.0.1 --port="$port" --timeout=5 &&
      grep -q 'ready to accept connections' "$log"; then
      break 2
    fi
    sleep 0.1
  done
  wait "$server" || true
  server=
done
[ -n "$server" ] || { cat "$log" >&2; die 'PostgreSQL did not start.'; }

export LINTEL_TEST_POSTGRES=postgresql://lintel:$password@127.0.0.1:$port/postgres
"$@"
