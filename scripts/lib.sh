# shellcheck shell=bash
# Sourced by the scripts beside it: where things are, how to speak, how to find or install what they need.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit 1

say() { printf '%s\n' "$*"; }

die() {
  printf '\n%s\n' "$@" >&2
  exit 1
}

# step "Building" command…: one line when all is well, the command's whole output when it is not.
step() {
  local title=$1 log started=$SECONDS
  shift
  log=$(mktemp)
  printf '%s … ' "$title"
  if "$@" >"$log" 2>&1 </dev/null; then
    printf '%s s\n' "$((SECONDS - started))"
    rm -f "$log"
  else
    local code=$?
    printf 'failed (exit code %s)\n' "$code"
    cat "$log" >&2
    rm -f "$log"
    return "$code"
  fi
}

# apt_install package…: installs as root, or says `$wanted`, which names what to run by hand.
apt_install() {
  local root_by=()
  command -v apt-get >/dev/null || die "$wanted"
  if [ "$(id -u)" -ne 0 ]; then
    if ! sudo -n true 2>/dev/null; then die "$wanted"; fi
    root_by=(sudo -n)
  fi
  step "Installing $*" "${root_by[@]}" bash "$root/scripts/apt-install.sh" "$@" || die "$wanted"
}

# What runs untrusted code, and the languages that its tests need. Interpreters must be the system's: those in a home folder
# (pyenv, nvm) are out of a sandbox's reach.
require_sandbox_tools() {
  local missing=() pair
  for pair in /usr/bin/bwrap:bubblewrap /usr/bin/setpriv:util-linux /usr/bin/setsid:util-linux /usr/bin/unshare:util-linux \
    /usr/bin/python3:python3 /usr/bin/node:nodejs /usr/bin/gcc:gcc /usr/bin/g++:g++; do
    if [ ! -x "${pair%%:*}" ]; then missing+=("${pair##*:}"); fi
  done
  if [ ${#missing[@]} -eq 0 ]; then return; fi
  wanted="Untrusted code is run by programs that are not all on this machine. Install them, then run this again:
  sudo apt-get install --no-install-recommends ${missing[*]}"
  apt_install "${missing[@]}"
}

# The mail server that the tests send to.
require_mail_server() {
  if /usr/bin/python3 -c 'import aiosmtpd' 2>/dev/null; then return; fi
  wanted="The tests send mail to a real mail server, aiosmtpd, which is not on this machine. Install it, then run this again:
  sudo apt-get install --no-install-recommends python3-aiosmtpd"
  apt_install python3-aiosmtpd
}

# The browser that the tests make passkeys with.
require_browser() {
  if [ -x /usr/bin/chromium ]; then return; fi
  wanted="The tests make passkeys with a real browser, Chromium, which is not on this machine. Install it, then run this again:
  sudo apt-get install --no-install-recommends chromium"
  apt_install chromium
}

# Clients and servers of others that the tests use, from npm: installed anew only where their lock file has changed.
require_node_packages() {
  local folder=$root/tests/node wanted_by installed_by
  if ! node_is_new_enough || ! command -v npm >/dev/null; then
    wanted="The tests use clients from npm, which take Node.js 18 or later and npm. Install both, then run this again:
  sudo apt-get install --no-install-recommends nodejs npm"
    apt_install nodejs npm
    node_is_new_enough || die "$wanted"
  fi
  # The stamp is written last, so an installation that was interrupted is begun again.
  wanted_by=$(cat "$folder/package.json" "$folder/package-lock.json" | sha256sum)
  installed_by=$(cat "$folder/node_modules/.installed" 2>/dev/null || true)
  if [ "$wanted_by" = "$installed_by" ]; then return; fi
  step 'Installing the npm packages of the tests' npm --prefix "$folder" ci --ignore-scripts --no-audit --no-fund \
    || die 'The npm packages of the tests could not be installed; what npm says is above. They are listed in tests/node/package.json.'
  printf '%s\n' "$wanted_by" >"$folder/node_modules/.installed"
}

node_is_new_enough() { node -e 'process.exit(process.versions.node.split(".")[0] >= 18 ? 0 : 1)' 2>/dev/null; }

# A private home for tools when the user has none that can be written (as `nobody`, or in a bare container).
if [ ! -w "${HOME:-/nonexistent}" ]; then
  export HOME=$root/artifacts/home
  mkdir -p "$HOME"
fi

# Builds leave no servers behind: they would hold files open after a run and keep a pipe from ending.
# The globalization setting lets the SDK itself start without libicu.
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_GENERATE_ASPNET_CERTIFICATE=false
export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1
export DOTNET_CLI_USE_MSBUILD_SERVER=0 MSBUILDDISABLENODEREUSE=1 UseSharedCompilation=false

has_sdk() { command -v dotnet >/dev/null && dotnet --version >/dev/null 2>&1; }

require_sdk() {
  local place
  if ! has_sdk; then
    # Where the installers put it when they do not touch PATH.
    for place in "$HOME/.dotnet" /usr/share/dotnet /usr/lib/dotnet /usr/local/share/dotnet; do
      if [ -x "$place/dotnet" ]; then
        PATH=$place:$PATH
        if has_sdk; then break; fi
      fi
    done
  fi

  if ! has_sdk; then
    wanted="Lintel is built with the .NET 10 SDK, which is not on this machine.
Install it as https://learn.microsoft.com/dotnet/core/install/linux says for your system
(the package is dotnet-sdk-10.0; Debian 12 has it only in the archive that page adds), then run this again."
    if command -v apt-cache >/dev/null && apt-cache show dotnet-sdk-10.0 >/dev/null 2>&1; then
      wanted="Lintel is built with the .NET 10 SDK, which is not on this machine. Install it, then run this again:
  sudo apt-get install --no-install-recommends dotnet-sdk-10.0"
      apt_install dotnet-sdk-10.0
    fi
    has_sdk || die "$wanted"
  fi

  # The programs built here look for the runtime in well-known places only, unless this tells them.
  DOTNET_ROOT=$(dirname "$(readlink -f "$(command -v dotnet)")")
  export DOTNET_ROOT PATH
}

# One build at a time in one clone; what is built may then be used side by side.
build_lock() {
  mkdir -p "$root/artifacts"
  exec 9>"$root/artifacts/.lock"
  flock -n 9 || { say 'Waiting for another build in this folder …'; flock 9; }
}

build_unlock() { exec 9>&-; }
