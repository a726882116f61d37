#!/usr/bin/env bash
# apt-install.sh package…: installs Debian packages; run as root (scripts/lib.sh calls it).
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive

# Two runs may want the same package at the same moment; apt waits for some of its locks only.
exec 9>/run/lock/lintel-apt.lock
flock 9

install() { apt-get -o DPkg::Lock::Timeout=300 install --yes --no-install-recommends "$@"; }
install_all() { install "$@" || { apt-get update && install "$@"; }; }

# Installing a PostgreSQL server on Debian also creates a database cluster and starts it on port 5432.
# Nobody asked for that: the tests run one of their own.
cluster_settings=/etc/postgresql-common/createcluster.conf
if [[ " $* " == *' postgresql '* ]] && ! ls /etc/postgresql/*/*/postgresql.conf >/dev/null 2>&1; then
  install_all postgresql-common
  before=$(mktemp)
  cp -p "$cluster_settings" "$before"
  trap 'cp -p "$before" "$cluster_settings"; rm -f "$before"' EXIT
  echo 'create_main_cluster = off' >>"$cluster_settings"
fi

install_all "$@"
