#compdef pidproxy
# A pid file, then a command by its path, then what it takes.
_arguments '1:pid file:_files' '2:command:_files' '*::argument:_normal'
