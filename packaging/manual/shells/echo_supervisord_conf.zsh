#compdef echo_supervisord_conf
# It takes no arguments.
_message "no arguments"
