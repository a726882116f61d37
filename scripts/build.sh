#!/usr/bin/env bash
# build.sh [server] [cli]: publishes the server to artifacts/server/ and the command line to artifacts/cli/, or the one that is named:
# compiled ahead of time for this machine (ReadyToRun, so that the server answers within a second of starting, and a command
# within a moment), on the shared .NET runtime, with everything they need beside them.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# publish "the server" src/Lintel.Server server
publish() {
  local title=$1 project=$2 name=$3

  # Its own intermediate folder, so that publishing for one machine type never disturbs the ordinary build.
  step "Building $title" dotnet publish "$project" --configuration Release --use-current-runtime \
    --self-contained false -p:PublishReadyToRun=true --artifacts-path artifacts/publish --output "artifacts/publish/$name"

  # Swapped in whole: what is running from there keeps the files it has open.
  rm -rf "artifacts/$name.new" "artifacts/$name.old"
  cp -a "artifacts/publish/$name" "artifacts/$name.new"
  if [ -e "artifacts/$name" ]; then mv "artifacts/$name" "artifacts/$name.old"; fi
  mv "artifacts/$name.new" "artifacts/$name"
  rm -rf "artifacts/$name.old"
}

require_sdk
build_lock
[ $# -gt 0 ] || set -- server cli
for wanted in "$@"; do
  case $wanted in
    server) publish 'the server' src/Lintel.Server server ;;
    cli) publish 'the command line' src/Lintel.Cli cli ;;
    *) die "usage: scripts/build.sh [server] [cli]" ;;
  esac
done
build_unlock
