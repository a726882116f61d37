# Run inside a sandbox at the server's start: each line that is not as promised is named, and the last word is "held".
# Only what every Debian system has (dash, coreutils, util-linux). $1 is a file of the host's that must not be seen.
fault() { echo "$1"; exit 1; }

[ "$(id -u)" = 1000 ] || fault 'the guest is not uid 1000'
[ ! -e "$1" ] || fault "a file of the host's is visible"
for path in /root /home /var /run /sys /boot /etc/shadow /proc/1/root/etc/shadow; do
  [ ! -e "$path" ] || fault "$path is visible"
done
[ -z "$(tr -d '\0' </proc/1/environ)" ] || fault "the server's environment is visible"
for path in / /usr /etc /dev /src; do
  if (: >"$path/probe") 2>/dev/null; then fault "$path can be written"; fi
done
for number in /proc/[0-9]*; do
  [ "${number#/proc/}" -lt 1000 ] || fault "the host's processes are visible"
done

while read -r name value _; do
  case "$name" in
    CapInh: | CapPrm: | CapEff: | CapBnd: | CapAmb:) [ "$value" = 0000000000000000 ] || fault "the guest has capabilities ($name $value)" ;;
    NoNewPrivs:) [ "$value" = 1 ] || fault 'set-user-id programs would work' ;;
    Seccomp:) [ "$value" = 2 ] || fault 'no system call filter is active' ;;
  esac
done </proc/self/status

# personality(2) needs no privilege: nothing but our filter refuses it.
if setarch --addr-no-randomize true 2>/dev/null; then fault 'the system call filter lets personality(2) through'; fi
if unshare --user true 2>/dev/null; then fault 'user namespaces can be made inside'; fi

interfaces=$(tail -n +3 /proc/net/dev | cut -d : -f 1 | tr -d ' ' | tr '\n' ' ')
[ "$interfaces" = 'lo ' ] || fault "network interfaces are visible: $interfaces"
[ "$(wc -l </proc/net/route)" -le 1 ] || fault 'there is a route to the network'

[ "$(ulimit -c)" = 0 ] || fault 'core files are not off'
[ "$(ulimit -n)" = 256 ] || fault 'the limit of open files is not set'
[ "$(ulimit -p)" = 64 ] || fault 'the limit of processes is not set'
[ "$(ulimit -d)" = 65536 ] || fault 'the limit of memory is not set'
if head -c 40000000 /dev/zero 2>/dev/null >/tmp/work/large; then fault 'a file can grow beyond its limit'; fi
rm /tmp/work/large

# Last, since a shell ends when it cannot fork: what follows the loop is not reached when the limit holds.
trap 'echo held' EXIT
exec 2>/dev/null
count=0
while [ "$count" -lt 80 ]; do
  sleep 5 &
  count=$((count + 1))
done
trap - EXIT
fault 'more processes can be started than the limit allows'
