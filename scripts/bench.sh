#!/usr/bin/env bash
# Measures the published server and writes the figures to docs/performance.md. Options go to bench/Lintel.Bench.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

scripts/build.sh server
require_sdk
build_lock
step 'Building the benchmarks' dotnet build bench/Lintel.Bench --configuration Release
build_unlock

exec bench/Lintel.Bench/bin/Release/net10.0/Lintel.Bench \
  --server artifacts/server/Lintel.Server --markdown docs/performance.md "$@"
