# Completion of @COMMAND@ for bash, made from the tables of the program.

@NAMES@
_@COMMAND@() {
    local line=${COMP_LINE:0:COMP_POINT} cur word pending= given= action= offered= asks= prefix
    local -i i arguments=0
    local -a words asked what=()
    COMPREPLY=()
    # Bash itself cuts words at colons, which names of processes have, and at `=`.
    read -ra words <<<"$line"
    [[ $line == *[[:blank:]] ]] && words+=("")
    cur=${words[${#words[@]} - 1]}
    asked=("${words[0]}")
    for ((i = 1; i < ${#words[@]} - 1; i++)); do
        word=${words[i]}
        if [ -n "$action" ]; then
            arguments+=1
        elif [ -n "$pending" ]; then
            pending=
            asked+=("${word/#\~\//$HOME/}")
        elif [[ $word == -* ]]; then
            asked+=("$word")
            case $word in
                @VALUED@) pending=$word ;;
            esac
        else
            action=$word
        fi
    done
    if [[ -z $pending$action && $cur == --*=* ]]; then
        given=${cur%%=*}=
        pending=${given%=}
        cur=${cur#*=}
    fi
    case $pending in
        '') ;;
@VALUES@
        *) what=(:) ;;
    esac
    if [ "${what[0]}" = files ]; then
        compopt -o filenames 2>/dev/null
        while IFS= read -r word; do
            COMPREPLY+=("$word")
        done < <(compgen "${what[1]}" -- "$cur")
    elif [ -n "$pending" ]; then
        offered=${what[1]}
    elif [ -n "$action" ]; then
        case $action in
@ARMS@
        esac
    elif [[ $cur == -* ]]; then
        offered='@OPTIONS@'
    else
        offered='@ACTIONS@'
    fi
    # No `compgen -W`: it would run what a name has between `$(` and `)`.
    while read -r word; do
        [[ -n $word && $word == "$cur"* ]] || continue
        [[ $word == *[^A-Za-z0-9_.:*@%+/=,~-]* ]] && printf -v word %q "$word"
        COMPREPLY+=("$word")
    done < <(
        printf '%s\n' ${offered}
        [ -z "$asks" ] || _supervisorctl_names "$asks" "${asked[@]}"
    )
    if [ -n "$given" ] && [[ $COMP_WORDBREAKS != *=* ]]; then
        COMPREPLY=("${COMPREPLY[@]/#/$given}")
    elif [[ $cur == *:* && $COMP_WORDBREAKS == *:* ]]; then
        prefix=${cur%"${cur##*:}"}
        COMPREPLY=("${COMPREPLY[@]#"$prefix"}")
    fi
}
complete -F _@COMMAND@ @COMMAND@
