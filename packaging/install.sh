#!/bin/sh
# Installs mailward as a service of systemd, from this copy of it, or brings an installed one up to date.
# The guide: docs/how-to/install-debian.md. What it puts where: `packaging/install.sh --dry-run`.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
usage='usage: packaging/install.sh [--root DIR] [--python PYTHON] [--keep-venv] [--dry-run]
  --root DIR       install below DIR, as into an image; nothing outside it is touched, no service is told
  --python PYTHON  the Python to make the environment with; default: python3
  --keep-venv      leave /opt/mailward/venv as it is, only put the other files into place
  --dry-run        say what would be done, and do nothing'
root='' dry_run=false python=python3 keep_venv=false placed=/opt/mailward/installed
. "$here/placing.sh"

while [ $# -gt 0 ]; do
    case $1 in
        --root) [ $# -gt 1 ] || wrong_usage "--root needs a directory"; root=$(canonical "$2"); shift 2 ;;
        --python) [ $# -gt 1 ] || wrong_usage "--python needs a program"; python=$2; shift 2 ;;
        --keep-venv) keep_venv=true; shift ;;
        --dry-run) dry_run=true; shift ;;
        -h | --help) say "$usage"; exit 0 ;;
        *) wrong_usage "there is no option $1" ;;
    esac
done
$dry_run || is_root || ! is_here || fail "only root can install a service; --dry-run shows what would be done"

put 644 "$here/systemd/mailward.service" /etc/systemd/system/mailward.service
put 644 "$here/systemd/mailward.sysusers" /etc/sysusers.d/mailward.conf
put 644 "$here/systemd/mailward.tmpfiles" /etc/tmpfiles.d/mailward.conf
for page in "$here"/../docs/man/*.1; do
    put 644 "$page" "/usr/local/share/man/man1/${page##*/}"
done
put_link /opt/mailward/venv/bin/mailward /usr/local/bin/mailward
check_all

# A new environment is made beside the one that runs and takes its name when it is whole; the last one is kept.
make_environment() {
    new=/opt/mailward/venv-$(date -u +%Y%m%dT%H%M%SZ)
    while [ -e "$root$new" ]; do new=$new-again; done  # a failure removes what it made, never what runs
    run mkdir -p "$root/opt/mailward"
    ( cd "$here/.." &&
        run env PYTHON="$python" VENV="$root$new" LOCK=packaging/runtime.lock EDITABLE= scripts/venv ) ||
        { run rm -rf "$root$new"; fail "the environment could not be made; what was installed is as it was"; }
    if ! $dry_run; then
        before=$(readlink "$root/opt/mailward/venv" || true)
        ln -sfn "${new##*/}" "$root/opt/mailward/venv.new"
        mv -fT "$root/opt/mailward/venv.new" "$root/opt/mailward/venv"
        for old in "$root"/opt/mailward/venv-*; do
            case ${old##*/} in "${new##*/}" | "${before##*/}") ;; *) rm -rf "$old" ;; esac
        done
    fi
}
$keep_venv || make_environment

place
run systemd-sysusers ${root:+--root="$root"} mailward.conf
run systemd-tmpfiles ${root:+--root="$root"} --create mailward.conf
if has_systemd; then
    run systemctl daemon-reload
fi

$dry_run || say "mailward is installed. Next: mailward config init, mailward config check, systemctl enable --now mailward;" \
    "where it ran already: systemctl restart mailward"
