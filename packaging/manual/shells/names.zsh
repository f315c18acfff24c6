# Offers the processes (as they are named, and whole groups) or the groups that the client's command line leads to. A
# daemon that is not there, hangs or asks for a password has none.
_supervisorctl_names() {
    local option reply group
    local -a asked parts
    local -aU names
    (( $+commands[timeout] )) || return 1
    asked=(${(Q)called/#\~\//$HOME/})
    for option in -c --configuration -s --serverurl -u --username -p --password; do
        (( $+opt_args[$option] )) && asked+=($option ${${(Q)opt_args[$option]}/#\~\//$HOME/})
    done
    for reply in ${(f)"$(timeout 2 $asked status </dev/null 2>/dev/null)"}; do
        parts=(${=reply})
        [[ $parts[2] == *(STOPPED|STARTING|RUNNING|BACKOFF|STOPPING|EXITED|FATAL|UNKNOWN)* ]] || continue
        group=${parts[1]%%:*}
        if [[ $1 == groups ]]; then
            names+=($group)
        elif [[ $group == $parts[1] ]]; then
            names+=($group)
        else
            names+=("$group:*" $parts[1])
        fi
    done
    if [[ $1 == groups ]]; then
        for reply in ${(f)"$(timeout 2 $asked avail </dev/null 2>/dev/null)"}; do
            parts=(${=reply})
            # What is in use was there already.
            [[ $parts[2] == avail ]] && names+=(${parts[1]%%:*})
        done
    fi
    compadd -a names
}

