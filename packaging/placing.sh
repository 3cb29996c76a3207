# Sourced by the install and uninstall scripts beside it: puts files into place and takes them away again.
#
# What is there already and is not what these scripts put there is never touched: nothing at all is done then, and the
# file is named. What was put there is written down, path and checksum, in the file $placed; so a second run changes
# nothing, and whoever takes away takes away only that.
#
# Before sourcing: root (where "/" is, without a slash at its end), dry_run (true or false), placed (a path below root).
# Afterwards: put, put_link and keep say what is wanted; place does it.

new_line='
'
wanted=

say() { printf '%s\n' "$*"; }
fail() {
    printf '%s\n' "${0##*/}: $*" >&2
    exit 1
}
wrong_usage() {
    printf '%s\n' "${0##*/}: $*" "$usage" >&2
    exit 2
}
is_root() { [ "$(id -u)" = 0 ]; }
# whether this is the running system itself, and not the root of another one
is_here() { [ -z "$root" ]; }
has_systemd() { is_here && [ -d /run/systemd/system ]; }

# run PROGRAM…: or, in a rehearsal, only say so
run() {
    if $dry_run; then
        say "would run: $*"
    else
        "$@"
    fi
}

# put MODE SOURCE PATH: a file that an upgrade replaces
put() { wanted="$wanted$new_line$1|file|$2|$3"; }
# keep MODE SOURCE PATH: a file that is the administrator's once it is there
keep() { wanted="$wanted$new_line$1|kept|$2|$3"; }
# put_link TARGET PATH
put_link() { wanted="$wanted$new_line-|link|$1|$2"; }

sum_of() { # of a file, or of what a link says
    if [ -L "$1" ]; then readlink "$1"; else cat "$1"; fi | sha256sum | cut -d' ' -f1
}
is_ours() { # PATH: whether it is as it was put there
    [ -f "$root$placed" ] && grep -qxF "$(sum_of "$root$1")  $1" "$root$placed"
}
is_there() { [ -e "$1" ] || [ -L "$1" ]; }

# calls "$1 MODE KIND SOURCE PATH" for everything that is wanted
for_each_wanted() {
    printf '%s\n' "$wanted" | while IFS='|' read -r mode kind source path; do
        [ -z "$path" ] || "$1" "$mode" "$kind" "$source" "$path" || exit 1
    done
}

is_free() {
    case $2 in
        kept) return 0 ;;
        file) new=$(sha256sum <"$3" | cut -d' ' -f1) || fail "$3 is missing: run this from a whole copy of mailward" ;;
        link) new=$(printf '%s\n' "$3" | sha256sum | cut -d' ' -f1) ;;
    esac
    ! is_there "$root$4" || [ "$(sum_of "$root$4")" = "$new" ] || is_ours "$4" || {
        printf '%s\n' "${0##*/}: $root$4 is there and is not what this script put there; move it away, or bring it back to" \
            "what it was, then run this again. Nothing was changed." >&2
        return 1
    }
}

place_one() {
    if [ "$2" = kept ] && is_there "$root$4"; then
        say "left as it is: $root$4"
        return 0
    fi
    if $dry_run; then
        say "would put: $root$4"
        return 0
    fi
    mkdir -p "$root${4%/*}"
    if [ "$2" = link ]; then
        ln -sfn "$3" "$root$4"
    else
        # written beside it, then renamed: never half a file
        install -m "$1" "$3" "$root$4.new"
        mv -f "$root$4.new" "$root$4"
    fi
    [ "$2" = kept ] || note "$4"
}

# note PATH: write down that it is ours as it is now
note() {
    mkdir -p "$root${placed%/*}"
    touch "$root$placed"
    { grep -vE "^[0-9a-f]{64}  $1\$" "$root$placed" || true; } >"$root$placed.new"
    printf '%s  %s\n' "$(sum_of "$root$1")" "$1" >>"$root$placed.new"
    mv -f "$root$placed.new" "$root$placed"
}

check_all() { for_each_wanted is_free || exit 1; }
place() { for_each_wanted place_one || exit 1; }

# take_away ALL: what was put there; what has been changed since only where ALL is true
take_away() {
    [ -f "$root$placed" ] || return 0
    while read -r sum path; do
        if ! is_there "$root$path"; then
            continue
        elif $1 || [ "$(sum_of "$root$path")" = "$sum" ]; then
            remove "$path"
        else
            say "left, because it was changed: $root$path"
        fi
    done <"$root$placed"
    remove "$placed"
}

# remove PATH: a file or a whole directory
remove() {
    if ! is_there "$root$1"; then
        return 0
    elif $dry_run; then
        say "would remove: $root$1"
    else
        case $1 in
            *..* | */) fail "$1 is nothing to remove" ;;
            /*/*) rm -rf "$root$1" ;;
            *) fail "$1 is nothing to remove" ;;
        esac
    fi
}

# remove_empty PATH…: directories that nothing is left in
remove_empty() {
    for path in "$@"; do
        $dry_run || rmdir "$root$path" 2>/dev/null || true
    done
}

# canonical DIR: absolute, without a slash at its end; "" for "/"
canonical() {
    [ -d "$1" ] || fail "$1 is no directory"
    found=$(CDPATH='' cd -- "$1" && pwd -P)
    [ "$found" = / ] || printf '%s' "$found"
}
