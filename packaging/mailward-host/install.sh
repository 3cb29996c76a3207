#!/bin/sh
# Installs mailward-host on a mail server, or brings it up to date; the guide is README.md beside this.
# It needs python3 (3.9 or later), sudo and sshd, and nothing else of mailward than what it is copied with.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
usage='usage: install.sh [--looks KEY.pub] [--acts KEY.pub] [--from ADDRESS] [--root DIR] [--dry-run]
  --looks KEY.pub  the public key that may only look
  --acts KEY.pub   the public key that may act; leave it out until something shall be done here
  --from ADDRESS   where the keys may be used from: the address of the manager; needed with a key
  --root DIR       install below DIR, as into an image; nothing outside it is touched
  --dry-run        say what would be done, and do nothing'
root='' dry_run=false looks='' acts='' from='' placed=/usr/local/lib/mailward-host/installed
program=/usr/local/lib/mailward-host/mailward_host.py
home=/var/lib/mailward-host

# beside this, as it is copied to a mail server, or as it lies in mailward's own tree
beside() {
    if [ -f "$here/$1" ]; then printf '%s' "$here/$1"; else printf '%s' "$here/$2"; fi
}
. "$(beside placing.sh ../placing.sh)"

while [ $# -gt 0 ]; do
    case $1 in
        --looks | --acts | --from | --root) [ $# -gt 1 ] || wrong_usage "$1 needs a word" ;;
    esac
    case $1 in
        --looks) looks=$2; shift 2 ;;
        --acts) acts=$2; shift 2 ;;
        --from) from=$2; shift 2 ;;
        --root) root=$(canonical "$2"); shift 2 ;;
        --dry-run) dry_run=true; shift ;;
        -h | --help) say "$usage"; exit 0 ;;
        *) wrong_usage "there is no option $1" ;;
    esac
done
$dry_run || is_root || ! is_here || fail "only root can install this; --dry-run shows what would be done"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# key_line FILE OPTIONS: a line of authorized_keys. A key with options of its own, or two of them, could say more.
key_line() {
    [ "$(grep -c . "$1")" = 1 ] && grep -qE '^(ssh|ecdsa|sk)-[a-z0-9@.-]+ [A-Za-z0-9+/=]+( [^"]*)?$' "$1" ||
        fail "$1 is not one public key, as ssh-keygen writes it into a .pub"
    printf 'command="python3 -I %s%s",restrict,from="%s" %s\n' "$program" "$2" "$from" "$(cat "$1")"
}
if [ -n "$looks$acts" ]; then
    printf '%s' "$from" | grep -qE '^[0-9A-Za-z:./,*?-]+$' || fail "say by --from at which address the manager is"
    printf '# Put here by the install.sh of mailward-host; change it by running that again.\n' >"$work/authorized_keys"
    [ -z "$looks" ] || key_line "$looks" " --read-only" >>"$work/authorized_keys"
    [ -z "$acts" ] || key_line "$acts" "" >>"$work/authorized_keys"
    put 644 "$work/authorized_keys" "$home/.ssh/authorized_keys"
fi
put 644 "$(beside mailward_host.py ../../src/mailward/platforms/reach/mailward_host.py)" "$program"
keep 644 "$here/mailward-host.ini" /etc/mailward-host.ini

# Which commands sudo allows follows from the configuration: the one that is there, else the one that comes with this.
ini=$root/etc/mailward-host.ini
[ -f "$ini" ] || ini=$here/mailward-host.ini
cp "$ini" "$work/host.ini"
chmod 644 "$work/host.ini"
python3 -I "$(beside mailward_host.py ../../src/mailward/platforms/reach/mailward_host.py)" --config "$work/host.ini" --sudoers \
    >"$work/said" || fail "python3 cannot run mailward_host.py"
grep -q '^mailward-host ' "$work/said" || fail "$ini: $(cat "$work/said")"
sed "s| --config $work/host.ini||" "$work/said" >"$work/sudoers"
if command -v visudo >/dev/null; then
    visudo -cqf "$work/sudoers" || fail "visudo does not take the lines for sudo; please report it"
fi
put 440 "$work/sudoers" /etc/sudoers.d/mailward-host
check_all

make_account() {
    if grep -qs '^mailward-host:' "$root/etc/passwd"; then
        return
    fi
    run useradd ${root:+--prefix "$root"} --system --no-create-home --home-dir "$home" --shell /bin/sh mailward-host
}
make_account
# Its home is root's: whoever owned it could put another .ssh into it.
run install -d -m 755 "$root$home" "$root$home/.ssh" "$root${program%/*}"
if is_root; then
    run chown 0:0 "$root$home" "$root$home/.ssh" "$root${program%/*}"
fi
place

if [ -z "$looks$acts" ] && ! is_there "$root$home/.ssh/authorized_keys"; then
    say "No key was given: nobody can log in yet. Run this again with --looks KEY.pub --from ADDRESS."
fi
