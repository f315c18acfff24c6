set -e
cp /available/one.conf /etc/supervisor/conf.d/
supervisord -c /etc/supervisord.conf
until supervisorctl -c /etc/supervisord.conf pid >/dev/null; do sleep 0.2; done
cp /available/two.conf /etc/supervisor/conf.d/
supervisorctl -c /etc/supervisord.conf reread && supervisorctl -c /etc/supervisord.conf update
supervisorctl -c /etc/supervisord.conf restart one
trap 'supervisorctl -c /etc/supervisord.conf shutdown; exit 0' TERM
while :; do sleep 0.2; done
