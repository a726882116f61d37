#!/usr/bin/env bash
# Formats the code, or with --verify-no-changes only says what is not in the project's format.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

require_sdk
build_lock
step 'Restoring packages' dotnet restore Lintel.slnx
step 'Formatting' dotnet format Lintel.slnx --no-restore "$@"
