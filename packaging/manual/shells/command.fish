# Completion of @COMMAND@ for fish, made from the tables of the program.

# Prints the action on the command line and what follows it, a word a line; fails where there is none.
function __fish_@COMMAND@_action
    set -l tokens (commandline -opc)
    set -l skip 0
    for index in (seq 2 (count $tokens))
        if test $skip = 1
            set skip 0
        else if contains -- $tokens[$index] @VALUED@
            set skip 1
        else if not string match -q -- '-*' $tokens[$index]
            printf '%s\n' $tokens[$index..-1]
            return 0
        end
    end
    return 1
end

# Whether the word to be completed is behind this action; `=`: right behind it, `+`: behind another word.
function __fish_@COMMAND@_behind
    set -l words (__fish_@COMMAND@_action)
    test "$words[1]" = "$argv[1]"; or return 1
    switch "$argv[2]"
        case '='
            test (count $words) = 1
        case '+'
            test (count $words) -gt 1
    end
end

@NAMES@
complete -c @COMMAND@ -f
@LINES@
