# Prints the processes (as they are named, and whole groups) or the groups that the client's command line leads to. A
# daemon that is not there, hangs or asks for a password has none.
function __fish_supervisorctl_names
    command -q timeout; or return 0
    set -l tokens (commandline -opc)
    set -l behind (__fish_supervisorctl_action)
    set -l asked $tokens[1..(math (count $tokens) - (count $behind))]
    set asked (string replace -r '^~/' "$HOME/" -- $asked)
    set -l last
    timeout 2 $asked status </dev/null 2>/dev/null | while read -l name state rest
        string match -qr 'STOPPED|STARTING|RUNNING|BACKOFF|STOPPING|EXITED|FATAL|UNKNOWN' -- $state; or continue
        set -l group (string split -m 1 : -- $name)[1]
        if test "$argv[1]" = groups
            printf '%s\n' $group
        else if test "$group" = "$name"
            printf '%s\n' $name
        else
            test "$group" = "$last"; or printf '%s\n' "$group:*"
            printf '%s\n' $name
        end
        set last $group
    end
    test "$argv[1]" = groups; or return 0
    timeout 2 $asked avail </dev/null 2>/dev/null | while read -l name state rest
        # What is in use was there already.
        test "$state" = avail; and string split -m 1 : -- $name | head -n 1
    end
end

