# What the checks share; read with `.`. Each check is called with the folder of the tree.
cd "${1:?the folder of the tree}" || exit 1

# Files of the tree that git tracks or would track, `files [pattern…]`. Without git, counts
# everything but what is built.
files() {
    if [ -e .git ] && command -v git >/dev/null; then
        git -c safe.directory="$(pwd)" ls-files -co --exclude-standard --deduplicate -- "$@"
    else
        find . -type f -not -path './build/*' -not -path './.cache/*' | sed 's|^\./||' |
            while read -r file; do
                [ $# -gt 0 ] || echo "$file"
                for pattern in "$@"; do
                    # shellcheck disable=SC2254
                    case $file in $pattern) echo "$file" ;; esac
                done
            done
    fi | while read -r file; do
        [ ! -f "$file" ] || echo "$file"
    done
}

# Fails where there is none: a check that sees no file has checked nothing.
c_files() {
    found=$(files '*.c' '*.h')
    [ -n "$found" ] || return 1
    printf '%s\n' "$found"
}

scripts() {
    files | while read -r file; do
        case $(head -c 40 "$file" | tr -d '\0' | head -n 1) in
        '#!'*sh*) echo "$file" ;;
        esac
    done
}

# refuse TEXT LINES: what was found breaks the rule, if anything was found.
refuse() {
    [ -n "$2" ] || return 0
    printf '%s:\n%s\n' "$1" "$2"
    broken=yes
}

verdict() {
    [ -z "${broken:-}" ] || exit 1
}
