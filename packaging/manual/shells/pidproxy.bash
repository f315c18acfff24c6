# Completion of pidproxy for bash: a pid file, then a command by its path, then what it takes.
complete -f -o filenames pidproxy
