#!/bin/sh
set -e
sed "s/@WORKERS@/${WORKERS}/" /supervisord.conf.in > /etc/supervisord.conf
if [ "$1" = supervisord ]; then
    echo "starting $WORKERS workers"
    exec "$@"
fi
exec "$@"
