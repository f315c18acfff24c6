# echo_supervisord_conf takes no arguments.
complete -c echo_supervisord_conf -f
