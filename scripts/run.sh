#!/usr/bin/env bash
# Builds the server and becomes it. Settings come from the environment and from .env (see .env.example).
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

scripts/build.sh server
require_sdk

# Without these the server runs all the same, and says why it runs no code.
(require_sandbox_tools) || true

export ASPNETCORE_ENVIRONMENT=${ASPNETCORE_ENVIRONMENT:-Development}
say "Starting Lintel. Stop it with Ctrl+C."

# The server keeps this script's process id, so that it can be stopped by number.
echo $$ >artifacts/server.pid
exec artifacts/server/Lintel.Server
