# salt 'web*' state.apply, or salt-call --local state.apply on one machine
/etc/supervisor/conf.d/web.conf:
  file.managed:
    - contents: |
        [program:web]
        command=/usr/bin/env python3 -m http.server 8000
        directory=/usr/share
        autorestart=true

web:
  supervisord.running:
    - update: true
    - watch:
      - file: /etc/supervisor/conf.d/web.conf
