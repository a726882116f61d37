#!/usr/bin/env bash
# Builds everything with warnings as errors, then runs every test project on SQLite and PostgreSQL.
#   PROJECT=Lintel.Is456.Tests scripts/test.sh -class '*Shear*'    one project, and options of its runner
# The last line is the sum of all projects. LINTEL_TEST_POSTGRES names a PostgreSQL to use in place of a private one.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

require_sdk
require_sandbox_tools
require_mail_server
require_browser
build_lock
require_node_packages
step 'Restoring packages' dotnet restore Lintel.slnx
step 'Building' dotnet build Lintel.slnx --configuration Release --no-restore -warnaserror \
  -consoleLoggerParameters:'NoSummary;Verbosity=quiet'
build_unlock

scripts/with-postgres.sh scripts/run-tests.sh "$@"
