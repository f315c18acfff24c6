# Prints the processes (as they are named, and whole groups) or the groups that the client's command line leads to. A
# daemon that is not there, hangs or asks for a password has none.
_supervisorctl_names() {
    local kind=$1 name state rest group last=
    shift
    command -v timeout >/dev/null || return 0
    while read -r name state rest; do
        case $state in
            *STOPPED* | *STARTING* | *RUNNING* | *BACKOFF* | *STOPPING* | *EXITED* | *FATAL* | *UNKNOWN*) ;;
            *) continue ;;
        esac
        group=${name%%:*}
        if [ "$kind" = groups ]; then
            [ "$group" = "$last" ] || printf '%s\n' "$group"
        elif [ "$group" = "$name" ]; then
            printf '%s\n' "$name"
        else
            [ "$group" = "$last" ] || printf '%s\n' "$group:*"
            printf '%s\n' "$name"
        fi
        last=$group
    done < <(timeout 2 "$@" status </dev/null 2>/dev/null)
    [ "$kind" = groups ] || return 0
    while read -r name state rest; do
        # What is in use was there already.
        [ "$state" != avail ] || printf '%s\n' "${name%%:*}"
    done < <(timeout 2 "$@" avail </dev/null 2>/dev/null)
}

