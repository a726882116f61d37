#!/usr/bin/env bash
# Publishes the server to artifacts/server/: compiled ahead of time for this machine (ReadyToRun, so that it
# answers within a second of starting), on the shared .NET runtime, with its static files beside it.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

require_sdk
build_lock

# Its own intermediate folder, so that publishing for one machine type never disturbs the ordinary build.
step 'Building the server' dotnet publish src/Lintel.Server --configuration Release --use-current-runtime \
  --self-contained false -p:PublishReadyToRun=true --artifacts-path artifacts/publish --output artifacts/publish/server

# Swapped in whole: a server that is running from artifacts/server keeps the files it has open.
rm -rf artifacts/server.new artifacts/server.old
cp -a artifacts/publish/server artifacts/server.new
if [ -e artifacts/server ]; then mv artifacts/server artifacts/server.old; fi
mv artifacts/server.new artifacts/server
rm -rf artifacts/server.old
build_unlock
