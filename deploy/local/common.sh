# What the scripts of this folder share. Read with `.` after HERE is set to this folder.
. "$HERE/versions"

say() {
    printf '%s: %s\n' "$NAME" "$*" >&2
}

die() {
    say "$*"
    exit 1
}

# The cache must be readable for the unprivileged user that PostgreSQL runs as; /root isn't.
cache_dir() {
    if [ -n "${PROVISION_CACHE:-}" ]; then
        printf '%s\n' "$PROVISION_CACHE"
    elif [ "$(id -u)" = 0 ]; then
        printf '/var/cache/neon-provisioner\n'
    else
        printf '%s/neon-provisioner\n' "${XDG_CACHE_HOME:-$HOME/.cache}"
    fi
}

absolute_dir() {
    mkdir -p "$1"
    (cd "$1" && pwd -P)
}

now_s() {
    date +%s
}

# free_ports N: as many TCP ports that nothing uses now, below the range that the kernel hands to
# outgoing connections (32768 up). Who starts a server tries again with others if one got lost.
free_ports() {
    shuf -i 20000-31999 | awk -v wanted="$1" '
        function decimal(hex,    i, n) {
            for (i = 1; i <= length(hex); i++)
                n = n * 16 + index("0123456789ABCDEF", substr(hex, i, 1)) - 1
            return n
        }
        FILENAME != "-" {
            if (split($2, address, ":") == 2) used[decimal(address[2])] = 1
            next
        }
        !($1 in used) && wanted-- > 0
    ' /proc/net/tcp /proc/net/tcp6 -
}

# pid_runs PID TEXT: is PID alive and does TEXT stand in its command line? Guards against a pid
# that the kernel has given to somebody else.
pid_runs() {
    [ -r "/proc/$1/cmdline" ] &&
        { tr '\0' ' ' <"/proc/$1/cmdline"; } 2>/dev/null | grep -qF -- "$2"
}

# The first thread of a process is gone before the others, which may still write.
threads_are_left() {
    grep -qs '^State:.*Z' "/proc/$1/status" &&
        [ "$(find "/proc/$1/task" -mindepth 1 -maxdepth 1 2>/dev/null | wc -l)" -gt 1 ]
}

# pid_end PID TEXT SIGNAL SECONDS: sends SIGNAL, waits for the end, then SIGKILL.
pid_end() {
    if pid_runs "$1" "$2"; then
        kill -s "$3" "$1" 2>/dev/null || true
    fi
    end=$(($(now_s) + $4))
    while pid_runs "$1" "$2" || threads_are_left "$1"; do
        if [ "$(now_s)" -ge "$end" ]; then
            say "process $1 did not end within $4 s: killed"
            kill -s KILL "$1" 2>/dev/null || true
            return 0
        fi
        sleep 0.05
    done
}
