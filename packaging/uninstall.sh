#!/bin/sh
# Takes away what packaging/install.sh has put into place.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
usage='usage: packaging/uninstall.sh (--keep | --purge) [--root DIR] [--dry-run]
  --keep     keep /etc/mailward, /var/lib/mailward and the user mailward: installed anew, mailward goes on with them
  --purge    remove these as well, and files of the installation that were changed: nothing is left
  --root DIR uninstall what was installed below DIR
  --dry-run  say what would be done, and do nothing'
root='' dry_run=false choice='' placed=/opt/mailward/installed
. "$here/placing.sh"

while [ $# -gt 0 ]; do
    case $1 in
        --keep | --purge) choice=${1#--}; shift ;;
        --root) [ $# -gt 1 ] || wrong_usage "--root needs a directory"; root=$(canonical "$2"); shift 2 ;;
        --dry-run) dry_run=true; shift ;;
        -h | --help) say "$usage"; exit 0 ;;
        *) wrong_usage "there is no option $1" ;;
    esac
done
[ -n "$choice" ] || wrong_usage "say whether to --keep or to --purge what mailward was told and has learnt"
$dry_run || is_root || ! is_here || fail "only root can uninstall a service; --dry-run shows what would be done"

if has_systemd && systemctl cat mailward.service >/dev/null 2>&1; then
    run systemctl disable --now mailward.service
fi
case $choice in
    keep) take_away false ;;
    purge) take_away true ;;
esac
remove /opt/mailward
if [ "$choice" = purge ]; then
    remove /etc/mailward
    remove /var/lib/mailward
    remove /etc/systemd/system/mailward.service.d
    if grep -qs '^mailward:' "$root/etc/passwd"; then
        # with its group; in another root without a program of that root
        run userdel ${root:+--prefix "$root"} mailward
    fi
fi
remove /run/mailward
if has_systemd; then
    run systemctl daemon-reload
fi
remove_empty /etc/sysusers.d /etc/tmpfiles.d /usr/local/share/man/man1
