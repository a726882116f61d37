#!/usr/bin/env bash
# Writes docs/api/openapi.json: what a server of this code answers at /openapi.json. A test compares the two.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

require_sdk
build_lock
step 'Building the server' dotnet build src/Lintel.Server --configuration Release
build_unlock

folder=$(mktemp -d "${TMPDIR:-/tmp}/lintel-openapi.XXXXXX")
server=
stop_server() {
  if [ -n "$server" ] && kill "$server" 2>/dev/null; then wait "$server" 2>/dev/null || true; fi
  rm -rf "$folder"
}
trap stop_server EXIT

# Settings of this shell must not show in the document.
(cd "$folder" && exec env -u APP_NAME -u DATABASE_URL -u SECRET_KEY -u ENV_FILE -u LOG_LEVEL \
  DEBUG=true HOST=127.0.0.1 PORT=0 LINTEL_DATA="$folder" "$root/src/Lintel.Server/bin/Release/net10.0/Lintel.Server" >"$folder/log" 2>&1) &
server=$!

for _ in $(seq 200); do
  address=$(sed -n 's/.*"address":"\([^"]*\)".*/\1/p' "$folder/log" 2>/dev/null | head -n 1)
  if [ -n "$address" ]; then break; fi
  kill -0 "$server" 2>/dev/null || die "The server did not start:" "$(cat "$folder/log")"
  sleep 0.1
done
[ -n "$address" ] || die "The server did not tell its address within 20 seconds."

mkdir -p docs/api
curl --silent --show-error --fail "$address/openapi.json" --output "$folder/openapi.json"
mv "$folder/openapi.json" docs/api/openapi.json
say "Wrote docs/api/openapi.json."
