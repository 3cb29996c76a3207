#!/bin/sh
# Takes away what install.sh beside this has put onto a mail server.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
usage='usage: uninstall.sh (--keep | --purge) [--root DIR] [--dry-run]
  --keep     keep /etc/mailward-host.ini and what was changed by hand
  --purge    remove these as well: nothing is left
  --root DIR uninstall what was installed below DIR
  --dry-run  say what would be done, and do nothing'
root='' dry_run=false choice='' placed=/usr/local/lib/mailward-host/installed
if [ -f "$here/placing.sh" ]; then . "$here/placing.sh"; else . "$here/../placing.sh"; fi

while [ $# -gt 0 ]; do
    case $1 in
        --keep | --purge) choice=${1#--}; shift ;;
        --root) [ $# -gt 1 ] || wrong_usage "--root needs a directory"; root=$(canonical "$2"); shift 2 ;;
        --dry-run) dry_run=true; shift ;;
        -h | --help) say "$usage"; exit 0 ;;
        *) wrong_usage "there is no option $1" ;;
    esac
done
[ -n "$choice" ] || wrong_usage "say whether to --keep or to --purge what this host was told"
$dry_run || is_root || ! is_here || fail "only root can uninstall this; --dry-run shows what would be done"

# sudo's lines first: from then on nothing can be done as root, whatever becomes of the rest
case $choice in
    keep) take_away false ;;
    purge)
        remove /etc/sudoers.d/mailward-host
        take_away true
        remove /etc/mailward-host.ini
        remove /var/lib/mailward-host
        remove /usr/local/lib/mailward-host
        ;;
esac
if grep -qs '^mailward-host:' "$root/etc/passwd"; then
    run userdel ${root:+--prefix "$root"} mailward-host
fi
remove_empty /usr/local/lib/mailward-host /var/lib/mailward-host/.ssh /var/lib/mailward-host
