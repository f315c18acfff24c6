#compdef @COMMAND@
# Completion of @COMMAND@ for zsh, made from the tables of the program.

@NAMES@
_@COMMAND@() {
    local curcontext=$curcontext state line called=$words[1]
    local -a actions
    typeset -A opt_args
    actions=(
@DESCRIBED@
    )
    _arguments -C \
@SPECS@
        '1: :->action' \
        '*:: :->argument' && return
    case $state in
        (action) _describe action actions ;;
        (argument)
            case $words[1] in
@ARMS@
            esac
            ;;
    esac
}

_@COMMAND@ "$@"
