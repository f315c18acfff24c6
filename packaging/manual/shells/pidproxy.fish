# Completion of pidproxy for fish: a pid file, then a command by its path, then what it takes.
complete -c pidproxy -F
