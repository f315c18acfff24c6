# echo_supervisord_conf takes no arguments.
complete -W '' echo_supervisord_conf
