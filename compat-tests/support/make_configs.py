#!/usr/bin/env python3
"""Writes configuration files, good and bad, that together touch every option, type, message and expansion.

    make_configs.py DIRECTORY [SEED [COUNT]]

The named files are always the same; COUNT random ones (default 300) follow from SEED (default 1).
"""

import os
import random
import sys

SUPERVISORD = '[supervisord]\n'
CAT = 'command=/bin/cat\n'

INTEGERS = [
    '0', '1', '-1', '+5', ' 7 ', '1_000', '1__0', '_1', '1_', '007', '１２', '٣', '', 'x', '1.5', '0x10', '2147483648',
    '99999999999999999999', '-99999999999999999999', '- 1', '1 2', "it's", 'é' * 250, '%(ENV_GREETING)s',
]
BOOLEANS = ['true', 'TRUE', 'Yes', 'on', '1', 'false', 'no', 'OFF', '0', '', 'maybe', '2', ' true', "'true'"]
SIZES = ['0', '1', '10KB', '10kb', '5 MB', '1GB', 'kb', 'MB', '1TB', '1.5MB', '-1KB', '1_0kb', '', 'x', '9999999999GB', '１kb', '10K']
OCTALS = ['022', '0o22', '0O7', '777', '8', '', '-1', '0_7', ' 22 ', 'x', '77777777777', '７']
PATHS = [
    'x.log', '%(here)s/x.log', '/nonexistent/x.log', '~/x.log', '~root/x.log', '~nobody-at-all/x.log', '', '/', '/tmp', './x.log',
    '../x.log', 'no-such/x.log', '/dev/stdout', '%%(here)s/x.log', '%(here)s', '~', '//x.log', '/tmp/',
]
SIGNALS = [
    'TERM', 'term', 'SIGTERM', ' sighup ', '15', '0', '9', '34', '35', '64', '65', '-1', 'SIG_DFL', '_IGN', 'SIG_BLOCK', 'RTMIN', 'CLD',
    'NOPE', '', 'TERM2', 'SIGSIGTERM', 'USR1', 'ＴＥＲＭ',
]
USERS = ['root', '0', ' 0', 'nobody', '65534', 'no-such-user', '-1', '4294967295', '99999999999', '', 'root:root']
NAMES = ['x', 'a-b', 'a b', 'a:b', 'a/b', '*', '', ' x ', 'ü', "it's", 'x"y', 'a.b', '%(here)s']
EXPANSIONS = [
    '%(here)s', '%(program_name)s', '%(group_name)s', '%(host_node_name)s', '%(process_num)d', '%(process_num)02d', '%(numprocs)s',
    '%(process_num)s', '%(process_num)5.3d', '%(process_num)x', '%(process_num)#o', '%(process_num)+d', '%(process_num)e',
    '%(process_num)g', '%(process_num).3f', '%(process_num)c', '%(process_num)r', '%(program_name)r', '%(program_name)a',
    '%(program_name).1s', '%(program_name)5s|', '%(program_name)-5s|', '%(ENV_HOME)s', '%(ENV_GREETING)s', '%(ENV_GREETING)r',
    '%(ENV_GREETING)a', '%(ENV_NOPE)s', '%(nope)s', '%(HERE)s', '%(a(b)c)s', '%()s', '%(here)', '%(here', '%(', '%', '%%', '%%%', '%s', '%d', '%%s',
    '%s %s', '%(here)d', '%(here)i', '%(here)x', '%(here)c', '%(here)f', '%(here)y', '%(here)é', '%(here)*d', '%(process_num)*d',
    '%5%', '%(here)ls', '%(here)lls', '%(process_num)99999999999999999999d', '%(process_num).99999999999d', '100%', '50% off', '%(here)s%',
    '%(process_num)0*d', '%-%', '% d', '%(here)s %(process_num)d %%(x)s', '%r', '%a', '%c', '%f',
]
ENVIRONMENTS = [
    '', 'A=1', 'A="1"', "A='1'", 'A=1,B=2', 'A=1;B=2', 'A=1 B=2', 'A="x,y",B=2', 'A=$HOME', 'A=$HOME,B=2', 'A', 'A=', 'A=,B=2', '=1', 'A==1', 'A=1,',
    'A=1,B', 'A=1,,B=2', "A='x", 'A="it\'s"', 'A=a\\b', 'A=é', 'é=1', 'A=/usr/bin:/bin', 'A=http://x.y:80/z', 'A=a@b', 'A="a@b"', 'A=1,A=2', 'A="""x"""',
    "A='\"x\"'", 'A=x#y', 'A="x#y",B=1', 'A=%(here)s', 'A="%(here)s",B="%(program_name)s"', 'A="%(process_num)d"', 'A="%(ENV_HOME)s"', 'A="%(ENV_A)s"',
    'A="100%"', 'A="100%%"', 'A="%%%%"', 'A="%(host_node_name)s"', 'A="1"\n B="2"', 'A="1",\n  B="2",\n  C="3"', 'A="1",\n\n B="2"', 'A-B=1', 'A.B=1', '(A)=1', 'A=-1',
    'A=b c=d', 'A="b c"d', 'A=b"c d"e', 'A=\tb', 'A = 1 , B = 2', 'A=*', 'A=a*b', "A=''", 'A="',
]
COMMANDS = ['/bin/cat', '', 'cat %(here)s', "sh -c 'echo hi; sleep 1'", 'sh -c "a ;b"', '/bin/cat\n  -u\n  -n', 'x' * 3000, '"unterminated']


def program(options, name='p', command=CAT):
    return SUPERVISORD + '[program:%s]\n%s%s\n' % (name, command, options)


def each(files, prefix, values, make):
    for index, value in enumerate(values):
        files['%s-%02d' % (prefix, index)] = make(value)


def program_files(files):
    for option, values in {
        'priority': INTEGERS, 'autostart': BOOLEANS, 'autorestart': BOOLEANS + ['unexpected', 'UNEXPECTED', 'Sometimes'],
        'startsecs': INTEGERS, 'startretries': INTEGERS, 'stopsignal': SIGNALS, 'stopwaitsecs': INTEGERS, 'stopasgroup': BOOLEANS,
        'killasgroup': BOOLEANS, 'exitcodes': ['0', '0,2', ' 0 , 1', '', ',', '0,', '256', '-1', 'x', '0,0', '1_0', '0;1', '２'],
        'redirect_stderr': BOOLEANS, 'numprocs': ['1', '0', '-3', 'x', '2'], 'numprocs_start': ['5', '-5', 'x', ''],
        'stdout_capture_maxbytes': SIZES, 'stderr_capture_maxbytes': SIZES[:3], 'stdout_events_enabled': BOOLEANS[:4],
        'stderr_events_enabled': BOOLEANS[-4:], 'serverurl': ['AUTO', ' auto ', '', 'http://x:1', 'unix:///x', '%(here)s'],
        'user': USERS, 'umask': OCTALS, 'process_name': NAMES + ['%(program_name)s', '%(process_num)s', '%(group_name)s-x', '%(nope)s', '%d', '%(ENV_GREETING)s'],
        'directory': PATHS, 'stdout_logfile': PATHS + ['NONE', 'none', 'OFF', 'AUTO', 'Auto', 'syslog', 'SYSLOG', 'none '],
        'stderr_logfile': ['NONE', 'AUTO', 'syslog', '%(here)s/e', '/no/e'], 'stdout_logfile_backups': INTEGERS[:6],
        'stderr_logfile_backups': INTEGERS[6:12], 'stdout_logfile_maxbytes': SIZES, 'stderr_logfile_maxbytes': SIZES[:4],
        'stdout_syslog': BOOLEANS, 'stderr_syslog': BOOLEANS[:3], 'environment': ENVIRONMENTS,
        'unknown_option': ['1', '%(nope)s'],
    }.items():
        each(files, 'program-%s' % option, values, lambda value: program('%s=%s' % (option, value)))
    each(files, 'command', COMMANDS + EXPANSIONS, lambda value: program('', command='command=%s\n' % value))
    each(files, 'log-expansion', EXPANSIONS, lambda value: program('stdout_logfile=/tmp/x%s' % value))
    each(files, 'log-twice', ['/tmp/%%(here)s', '/tmp/%%%%', '/tmp/%%(process_num)03d', '/tmp/%%(nope)s', '/tmp/100%%', '/tmp/%%%%%%%%'],
         lambda value: program('stdout_logfile=%s\nstderr_logfile=%s' % (value, value)))
    each(files, 'name-expansion', EXPANSIONS, lambda value: program('process_name=x%s' % value))
    each(files, 'directory-expansion', EXPANSIONS, lambda value: program('directory=%s' % value))
    each(files, 'program-name', NAMES, lambda value: program('', name=value))
    files['no-command'] = SUPERVISORD + '[program:p]\nautostart=true\n'
    files['empty-program'] = SUPERVISORD + '[program:p]\n'
    files['as-group'] = program('stopasgroup=true\nkillasgroup=false')
    files['as-group-kill'] = program('stopasgroup=true\nkillasgroup=true')
    files['redirect-with-file'] = program('redirect_stderr=true\nstderr_logfile=/tmp/x')
    files['redirect-with-syslog'] = program('redirect_stderr=true\nstderr_logfile=syslog')
    files['both-syslog'] = program('stdout_logfile=syslog\nstderr_logfile=syslog')
    files['auto-without-rollover'] = program('stdout_logfile_maxbytes=0\nstderr_logfile_maxbytes=0\nnumprocs=2\nprocess_name=%(process_num)s')
    for index, options in enumerate([
        'numprocs=3\nprocess_name=p%(process_num)02d', 'numprocs=3', 'numprocs=3\nprocess_name=p%(process_num)',
        'numprocs=12\nprocess_name=p%(process_num)d', 'numprocs=2\nnumprocs_start=-1\nprocess_name=p%(process_num)d',
        'numprocs=2\nnumprocs_start=9\nprocess_name=p%(process_num)d\nenvironment=N="%(process_num)d",M="%(numprocs)d"',
        'numprocs=2\nprocess_name=p%(process_num)d\nenvironment=N="%(process_num)d"\ncommand=/bin/echo %(ENV_N)s',
        'numprocs=3\nprocess_name=p%(process_num)d\nenvironment=N="%(process_num)d",HOME="%(ENV_HOME)s/x"\ndirectory=%(ENV_HOME)s',
        'numprocs=2\nprocess_name=p%(process_num)d\nenvironment=A="1",B="%(ENV_A)s"',
        'numprocs=2\nprocess_name=p%(process_num)d\nstdout_logfile=/tmp/%(process_num)d-%(program_name)s\nautostart=%(process_num)d',
        'process_name=%(program_name)s_%(ENV_X)s\nenvironment=X="7"', 'numprocs=2\nprocess_name=x%%(process_num)d',
        'numprocs=2\nprocess_name=x%%(process_num)s%(process_num)x', 'environment=command="x"\ncommand=%(ENV_command)s',
    ]):
        files['numprocs-%02d' % index] = program(options)


def supervisord_files(files):
    for option, values in {
        'minfds': INTEGERS, 'minprocs': INTEGERS[-10:], 'directory': PATHS, 'user': USERS, 'umask': OCTALS, 'logfile': PATHS + ['syslog', 'Syslog'],
        'logfile_maxbytes': SIZES, 'logfile_backups': INTEGERS, 'loglevel': ['info', 'INFO', 'debug', 'warn', 'warning', 'error', 'critical', 'trace', 'blather', '', 'x', ' info'],
        'pidfile': PATHS, 'identifier': ['x', '', '%(here)s', 'a b', 'é', '%(ENV_GREETING)s', '%(host_node_name)s', '%(nope)s'],
        'nodaemon': BOOLEANS, 'silent': BOOLEANS[-4:], 'childlogdir': PATHS, 'nocleanup': BOOLEANS[:2], 'strip_ansi': BOOLEANS[:2],
        'environment': ENVIRONMENTS, 'unknown': ['%(nope)s'],
    }.items():
        each(files, 'supervisord-%s' % option, values, lambda value: SUPERVISORD + '%s=%s\n[program:p]\n%s' % (option, value, CAT))
    each(files, 'supervisord-environment-used', [
        'A="1"', 'A="%%(host_node_name)s"', 'A="%%(ENV_HOME)s"', 'HOME="/x"', 'A="%%(program_name)s"', 'A="%(ENV_GREETING)s"', 'A="%%%%"', 'GREETING="1"',
        'A="1",A="2",B="3"',
    ], lambda value: SUPERVISORD + 'environment=%s\n[program:p]\n%senvironment=B="%%(ENV_A)s",Z="z"\ndirectory=%%(ENV_HOME)s\n' % (value, CAT))
    each(files, 'supervisord-expansion', EXPANSIONS, lambda value: SUPERVISORD + 'identifier=%s\n' % value)
    files['order-of-mistakes'] = SUPERVISORD + 'pidfile=/no/x\nminfds=x\nnodaemon=maybe\n[program:p]\n'
    files['no-supervisord'] = '[program:p]\n' + CAT
    files['empty'] = ''
    files['only-comments'] = '; x\n# y\n\n'
    files['default-supervisord'] = '[DEFAULT]\nidentifier=x\n'
    files['supervisord-case'] = '[Supervisord]\n'
    files['supervisord-space'] = '[supervisord ]\n'


def server_files(files):
    def inet(options):
        return SUPERVISORD + '[inet_http_server]\n%s\n' % options

    def unix(options):
        return SUPERVISORD + '[unix_http_server]\n%s\n' % options

    each(files, 'inet-port', [
        '9001', ':9001', '*:9001', 'LOCALHOST:9001', '[::1]:9001', '127.0.0.1:', 'a:b:1', '0', 'x:0', '65536', 'x:65536', '-1', '', 'x', ' 9001', 'x: 80 ', '９００１',
        '%(here)s', '%(ENV_HOME)s', '1_0', 'x:1.5', '*', ':',
    ], lambda value: inet('port=%s' % value))
    each(files, 'unix-file', PATHS + ['  /x/ ', '%(program_name)s', 'a/../b'], lambda value: unix('file=%s' % value))
    each(files, 'unix-chmod', OCTALS, lambda value: unix('file=/x\nchmod=%s' % value))
    each(files, 'unix-chown', USERS + ['root:root', '0:0', 'root:', ':root', 'root:nope', 'nope:root', 'a:b:c', 'root:0 ', '%(here)s'],
         lambda value: unix('file=/x\nchown=%s' % value))
    for kind, base in [('inet', 'port=1\n'), ('unix', 'file=/x\n')]:
        make = inet if kind == 'inet' else unix
        each(files, kind + '-credentials', [
            'username=a\npassword=b', 'username=a', 'password=b', 'username=\npassword=', 'username=a\npassword={SHA}82ab876d1387bfafe46cc1c8a2ef074eae50cb1d',
            'username=%(here)s\npassword=b', 'username=a\npassword=100%', 'username=%(ENV_GREETING)s\npassword=x;y',
        ], lambda value: make(base + value))
        files[kind + '-bare'] = make('')
    files['servers-many'] = SUPERVISORD + (
        '[unix_http_server:b]\nfile=/b\n[inet_http_server:z]\nport=z:1\n[unix_http_server]\nfile=/a\n[inet_http_server]\nport=2\n'
        '[inet_http_serverish]\nport=3\n[inet_http_server:a:b]\nport=4\n')
    files['servers-inet'] = SUPERVISORD + '[inet_http_server:a]\nport=a:1\n[inet_http_server:b]\nport=*:2\n'
    files['servers-first-bad'] = SUPERVISORD + '[unix_http_server]\n[inet_http_server]\n'
    main = 'supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n'
    each(files, 'rpcinterface', [
        main, '', 'x=1\n', main + 'x=%(nope)s\n', main + 'x=%(ENV_HOME)s\ny=100%\n', main + 'retries=1\n',
        'supervisor.rpcinterface_factory=nope:x\n', 'supervisor.rpcinterface_factory=\n', 'supervisor.rpcinterface_factory=%(here)s\n',
        'supervisor.rpcinterface_factory = supervisor.rpcinterface : make_main_rpcinterface [x]\n',
        'supervisor.rpcinterface_factory = supervisor.rpcinterface:nope\n', 'supervisor.rpcinterface_factory = two words\n',
        'SUPERVISOR.RPCINTERFACE_FACTORY = supervisor.rpcinterface:make_main_rpcinterface\n',
    ], lambda value: SUPERVISORD + '[rpcinterface:supervisor]\n' + value)
    files['rpcinterface-two'] = SUPERVISORD + '[rpcinterface:b]\n%s[rpcinterface:a:c]\n%s[rpcinterface]\n' % (main, main)
    files['rpcinterface-default'] = '[DEFAULT]\nx=%%(nope)s\n' + SUPERVISORD + '[rpcinterface:b]\n' + main
    files['rpcinterface-default-bad'] = '[DEFAULT]\nx=%(nope)s\n' + SUPERVISORD + '[rpcinterface:b]\n' + main
    files['ignored-sections'] = SUPERVISORD + '[ctlplugin:x]\nfoo=%(nope)s\n[supervisorctl]\nserverurl=%(nope)s\n[anything]\nx=y\n[program]\n[group]\n'


def group_files(files):
    programs = '[program:a]\n%spriority=5\n[program:b]\n%s[fcgi-program:f]\nsocket=tcp://x:1\n%s' % (CAT, CAT, CAT)
    for index, options in enumerate([
        'programs=a,b', 'programs=b,a', 'programs= a , b ', 'programs=a', 'programs=', '', 'programs=,', 'programs=nope', 'programs=a,nope', 'programs=f',
        'programs=a,f,b', 'programs=a,a', 'programs=%(here)s', 'programs=a\npriority=1', 'programs=a\npriority=x', 'programs=a b', 'programs=nope\npriority=x',
        'programs=a,\n  b', 'programs=a;b', 'programs=a ;b', 'programs=f,nope', 'programs=%(nope)s',
    ]):
        files['group-%02d' % index] = SUPERVISORD + '[group:g]\n%s\n' % options + programs
    each(files, 'group-name', NAMES, lambda value: SUPERVISORD + '[group:%s]\nprograms=a\n[program:a]\n%s' % (value, CAT))
    files['group-twice'] = SUPERVISORD + '[group:g]\nprograms=a\n[group:h]\nprograms=a,b\n' + programs
    files['group-ambiguous'] = SUPERVISORD + '[group:g]\nprograms=a\n[program:a]\n%s[fcgi-program:a]\nsocket=tcp://x:1\n%s' % (CAT, CAT)
    files['group-ambiguous-later'] = SUPERVISORD + '[group:g]\nprograms=z,a\n[program:z]\n%s[program:a]\n%s[fcgi-program:a]\n' % (CAT, CAT)
    files['group-bad-member'] = SUPERVISORD + '[group:g]\nprograms=a\n[program:a]\nautostart=maybe\n'
    files['group-expansion'] = SUPERVISORD + '[group:g]\nprograms=a\n[program:a]\nprocess_name=%%(group_name)s-%%(program_name)s\n%s' % CAT
    files['group-order'] = SUPERVISORD + ''.join(
        '[program:%s]\n%spriority=%d\n' % (name, CAT, priority) for name, priority in [('z', 1), ('y', 2), ('x', 1), ('w', -1), ('é', 1), ('Z', 1)])
    files['same-name-kinds'] = SUPERVISORD + '[program:x]\n%s[eventlistener:x]\nevents=TICK_5\n%s[fcgi-program:x]\nsocket=tcp://h:1\n%s' % (CAT, CAT, CAT)
    files['missing-fcgi-of-group'] = SUPERVISORD + '[group:g]\nprograms=f\n[fcgi-program:f]\n' + CAT


def listener_files(files):
    def listener(options, name='l'):
        return SUPERVISORD + '[eventlistener:%s]\n%s%s\n' % (name, CAT, options)

    each(files, 'listener-events', [
        'TICK_5', 'tick_5', 'TICK_5,TICK_60', 'TICK_60,tick_5,TICK_5', 'EVENT', 'PROCESS_STATE,PROCESS_STATE_RUNNING', '', ',', 'NOPE', 'TICK_5,NOPE', ' TICK ', 'TICK_5,',
        'PROCESS_LOG_STDOUT,PROCESS_LOG_STDERR,PROCESS_COMMUNICATION,REMOTE_COMMUNICATION,SUPERVISOR_STATE_CHANGE_STOPPING,PROCESS_GROUP_ADDED', 'SUPERVISOR_STATE',
        '%(ENV_HOME)s', '%(program_name)s', 'TICK_5;TICK_60', '__CLASS__',
    ], lambda value: listener('events=%s' % value))
    files['listener-no-events'] = listener('')
    files['listener-default-events'] = '[DEFAULT]\nevents=TICK_5\n' + listener('')
    for option, values in {
        'buffer_size': INTEGERS, 'priority': INTEGERS[:4], 'redirect_stderr': BOOLEANS, 'autorestart': BOOLEANS[:2],
        'result_handler': ['supervisor.dispatchers:default_handler', 'supervisor.dispatchers:nope', 'nope:x', '', 'supervisor_stdout:event_handler', 'a b', '%(here)s', 'x:'],
        'numprocs': ['2', '0'], 'stdout_logfile': ['NONE', '/tmp/x', 'syslog'],
    }.items():
        each(files, 'listener-' + option, values, lambda value: listener('events=TICK\n%s=%s' % (option, value)))
    each(files, 'listener-name', NAMES, lambda value: listener('events=TICK', value))
    files['listener-many'] = SUPERVISORD + '[eventlistener:m]\n%sevents=EVENT\nnumprocs=3\nprocess_name=%%(program_name)s_%%(process_num)d\nbuffer_size=100\n' % CAT


def fastcgi_files(files):
    def fastcgi(options, name='f'):
        return SUPERVISORD + '[fcgi-program:%s]\n%s%s\n' % (name, CAT, options)

    each(files, 'fcgi-socket', [
        'unix:///tmp/x.sock', 'unix:///tmp//a/../x.sock', 'unix://x.sock', 'unix://', 'unix:///', 'unix://~/x', 'unix://%(here)s/%(program_name)s.sock', 'tcp://localhost:1', 'tcp://HOST:9000',
        'tcp://host:0', 'tcp://host:70000', 'tcp://host:x', 'tcp://host', 'tcp://:1', 'tcp://a b:1', 'tcp://[::1]:1', 'tcp://host:1x', 'tcp://host:１', '', 'x', '%(host_node_name)s',
        '%(group_name)s', "it's", 'Unix:///x', 'tcp://host:1 ', 'tcp://*:1', 'unix:///tmp/%(process_num)d',
    ], lambda value: fastcgi('socket=%s' % value))
    files['fcgi-no-socket'] = fastcgi('')
    unix = 'socket=unix:///tmp/x\n'
    for option, values in {
        'socket_owner': USERS + ['root:root', '0:0', 'root:nope', 'nobody'], 'socket_mode': OCTALS, 'socket_backlog': INTEGERS + ['65535', '65536'],
        'user': USERS, 'priority': INTEGERS[:3], 'numprocs': ['2', '0'],
    }.items():
        each(files, 'fcgi-' + option, values, lambda value: fastcgi(unix + '%s=%s' % (option, value)))
        each(files, 'fcgi-tcp-' + option, values[:2], lambda value: fastcgi('socket=tcp://x:1\n%s=%s' % (option, value)))
    each(files, 'fcgi-name', NAMES, lambda value: fastcgi(unix, value))
    files['fcgi-user-and-owner'] = fastcgi(unix + 'user=nobody\nsocket_owner=root\nsocket_mode=0666\nsocket_backlog=7')
    files['fcgi-numprocs'] = fastcgi('socket=unix:///tmp/%(program_name)s\nnumprocs=2\nprocess_name=%(program_name)s_%(process_num)d')


def text_files(files):
    files['bom'] = '\ufeff' + SUPERVISORD
    files['carriage-returns'] = program('autostart=false').replace('\n', '\r')
    files['crlf'] = program('autostart=false').replace('\n', '\r\n')
    files['not-utf8'] = (SUPERVISORD + 'identifier=').encode() + b'\xff\n'
    files['latin1-comment'] = SUPERVISORD.encode() + b'; caf\xe9 au lait\n'
    files['truncated-utf8'] = SUPERVISORD.encode() + b'identifier=\xe2\x82'
    files['late-bad-byte'] = SUPERVISORD.encode() + b'; filler\n' * 2000 + b'\xc3(\n'
    files['nul'] = SUPERVISORD + 'identifier=a\x00b\n[program:p]\ncommand=/bin/ca\x00t\n'
    files['nul-user'] = SUPERVISORD + '[program:p]\nuser=ro\x00ot\n' + CAT
    files['no-header'] = 'a=1\n'
    files['bad-lines'] = SUPERVISORD + 'nonsense\nmore nonsense\n=x\n[program:p]\nbad\n'
    files['inline-comments'] = program('priority=5 ; five\nenvironment=A="1 ; 2"')
    files['comment-no-space'] = program('priority=5;five')
    files['indented-section'] = SUPERVISORD + 'identifier=x\n  [program:p]\n  command=/bin/cat\n'
    files['junk-after-section'] = SUPERVISORD.strip() + ' junk\n[program:p] ; x\n' + CAT
    files['unterminated-section'] = SUPERVISORD + 'identifier=x\n[program:p\n' + CAT
    files['upper-case-options'] = SUPERVISORD + 'IDENTIFIER=X\n[program:p]\nCommand=/bin/Cat\nAutoStart=false\n'
    files['duplicate-options'] = program('priority=1\npriority=2\nPRIORITY=3')
    files['duplicate-sections'] = program('priority=1') + '[program:p]\nstartsecs=9\ncommand=/bin/dog\n'
    files['defaults'] = '[DEFAULT]\npriority=7\nautostart=false\nuser=root\nenvironment=D="1"\n' + program('') + '[program:q]\nautostart=true\n' + CAT
    files['defaults-late'] = program('') + '[DEFAULT]\nstartsecs=4\ncommand=/bin/late\n'
    files['default-loglevel'] = '[DEFAULT]\nloglevel=debug\nlogfile=NONE\n' + SUPERVISORD
    files['default-case'] = '[default]\npriority=7\n' + program('')
    files['continuation'] = SUPERVISORD + '[program:p]\ncommand=\n  /bin/cat\n\n  -u\n; comment\n  -n\nautostart\n  =false\n'
    files['colon-delimiters'] = SUPERVISORD + 'identifier: x\n[program:p]\ncommand: /bin/cat: x\n'
    files['section-with-bracket'] = SUPERVISORD + '[program:a]b]\n' + CAT
    files['strange-sections'] = SUPERVISORD + '[ program:x]\n[program :x]\n[program]\n[:]\n[program:x ]\n' + CAT


def include_files(files):
    """Files with pieces beside them: the value is a dict, its key '' the main file."""
    def include(options, pieces, main=SUPERVISORD):
        return dict(pieces, **{'': main + '[include]\n%s\n' % options})

    a, b = '[program:a]\n' + CAT, '[program:b]\n%sdirectory=%%(here)s\n' % CAT
    pieces = {'d/a.conf': a, 'd/b.conf': b, 'd/.hidden.conf': '[program:hidden]\n' + CAT, 'd/e/c.conf': '[program:c]\n' + CAT}
    each(files, 'include', [
        'files=d/*.conf', 'files=d/a.conf d/b.conf', 'files=d/b.conf\n  d/a.conf', 'files=%(here)s/d/*.conf', 'files=d/*', 'files=nope/*.conf', 'files=d/[ab].conf', 'files=d/[!a].conf',
        'files=d/**/*.conf', 'files=*/a.conf', 'files=./d/*.conf', 'files=d//*.conf', 'files=d/../d/?.conf', 'files=', 'nofiles=x', 'files=%(nope)s', 'files=d/%%s', 'files=%(ENV_HOME)s/*',
        'files=%(host_node_name)s*.conf', 'files=d/.*.conf', 'files=d', 'files=d/', 'files=d/a.conf d/a.conf', 'files=d/[', 'files=/no/such/*.conf nope.conf d/a.conf', 'files=%(program_name)s',
        'files=~/x*', 'files=d/*.conf ; comment', 'files=%%(here)s/d/*.conf', 'files=d/{a,b}.conf', 'files=*/*/c.conf', 'files=d/e*/', 'files=d/[a-b].conf', 'files=d/[]a].conf', 'files=d/**.conf',
    ], lambda value: include(value, pieces))
    files['include-bad-piece'] = include('files=d/*', {'d/x.conf': 'nonsense\n'})
    files['include-parse-error'] = include('files=d/*', {'d/x.conf': '[a]\nnonsense\n'})
    files['include-not-utf8'] = include('files=d/*', {'d/x.conf': b'[a]\nx=\xff\n'})
    files['include-bad-program'] = include('files=d/*', {'d/x.conf': '[program:x]\nautostart=maybe\n'})
    files['include-bad-name'] = include('files=d/*', {"d/it's.conf": "[program:it's]\nautostart=maybe\n"})
    files['include-extends'] = include('files=d/*', {'d/x.conf': '[program:m]\npriority=9\nautostart=x\n'}, SUPERVISORD + '[program:m]\n' + CAT)
    files['include-overrides'] = include('files=d/*', {'d/x.conf': '[program:m]\npriority=9\n[supervisord]\nidentifier=other\n'}, SUPERVISORD + '[program:m]\n' + CAT)
    files['include-nested'] = include('files=d/*', {'d/x.conf': '[include]\nfiles=../e/*\n' + a, 'e/y.conf': b})
    files['include-supervisord'] = {'': '[include]\nfiles=d/*\n', 'd/x.conf': SUPERVISORD + 'identifier=inner\nlogfile=%(here)s/x.log\n'}
    files['include-here'] = include('files=d/*', {'d/x.conf': '[program:x]\ncommand=/bin/echo %(here)s %%(here)s\nenvironment=A="%(here)s"\n'}, SUPERVISORD + '[program:m]\ncommand=%(here)s/m\n')
    files['include-here-escaped'] = include('files=d/*', pieces, SUPERVISORD + '[program:m]\ncommand=/bin/echo %%(here)s\n')
    files['include-default'] = include('files=d/*', {'d/x.conf': '[DEFAULT]\ndirectory=%(here)s\n' + a}, '[DEFAULT]\npidfile=%(here)s/p\n' + SUPERVISORD + '[program:m]\n' + CAT)
    files['include-duplicate-program'] = include('files=d/*', {'d/1.conf': '[program:x]\ncommand=/1\n', 'd/2.conf': '[program:x]\ncommand=/2\nautostart=x\n'})
    files['include-default-files'] = {'': '[DEFAULT]\nfiles=d/a.conf\n' + SUPERVISORD + '[include]\n', 'd/a.conf': a}


def random_files(files, seed, count):
    """Programs with random options from the same values, several mistakes at once."""
    source = random.Random(seed)
    values = {
        'priority': INTEGERS, 'autostart': BOOLEANS, 'autorestart': BOOLEANS, 'startsecs': INTEGERS, 'stopsignal': SIGNALS, 'exitcodes': ['0', '0,2', '300'],
        'numprocs': ['1', '2', '3'], 'environment': ENVIRONMENTS, 'command': COMMANDS + EXPANSIONS, 'stdout_logfile': PATHS + ['NONE', 'AUTO', 'syslog'],
        'stderr_logfile': ['NONE', 'AUTO', 'syslog', '/tmp/%(program_name)s'], 'user': USERS, 'umask': OCTALS, 'directory': EXPANSIONS + PATHS,
        'process_name': ['%(program_name)s', '%(program_name)s_%(process_num)02d', '%(process_num)d', '%(group_name)s'], 'redirect_stderr': BOOLEANS[:8],
        'stdout_logfile_maxbytes': SIZES, 'socket': ['tcp://x:1', 'unix:///tmp/x', 'unix://%(program_name)s'], 'events': ['TICK_5', 'PROCESS_STATE', 'x'],
        'identifier': NAMES, 'loglevel': ['debug', 'x'], 'socket_mode': OCTALS,
    }
    good = {name: options[:2] for name, options in values.items()}
    for index in range(count):
        text = ''
        for section in ['supervisord'] + source.sample(['program:a', 'program:b', 'group:g', 'eventlistener:l', 'fcgi-program:f', 'DEFAULT'], source.randint(1, 4)):
            text += '[%s]\n' % section
            if source.random() < 0.9:
                text += CAT
            if section == 'group:g':
                text += 'programs=%s\n' % ','.join(source.sample(['a', 'b', 'f', 'nope'], source.randint(1, 2)))
            for option in source.sample(sorted(values), source.randint(0, 4)):
                choices = values if source.random() < 0.25 else good
                text += '%s=%s\n' % (option, source.choice(choices[option]))
        files['random-%04d' % index] = text


FORMAT_PIECES = [
    '%', '(', ')', '%(here)', '%(process_num)', '%(program_name)', '%(ENV_GREETING)', '%(numprocs)', '%%', '*', '.', '-', '+', ' ', '#', '0', '1', '2', '5', '12', '99', 's',
    'd', 'i', 'u', 'x', 'X', 'o', 'e', 'E', 'f', 'F', 'g', 'G', 'c', 'r', 'a', 'l', 'h', 'L', 'n', 'é', 'x y', '%(nope)', '%(here)s', '%(process_num)d',
]
ENVIRONMENT_PIECES = [
    'A', 'B', 'KEY', '=', '=', '=', ',', ',', '"', "'", ' ', '  ', '\t', '\n ', '#', ';', ' ;', '\\', '$', '@', '*', '/', '.', '+', '-', '(', ')', ':', '1', 'x y', 'é', '_', '"a,b"', "'c d'",
    '%(here)s', '%(process_num)d', '%%', '\r', '\xa0', '[', ']', '|', '&', '<',
]


def random_values(seed, count):
    """Programs whose texts are made of the pieces that formats and environments consist of."""
    source = random.Random(seed)

    def value(pieces):
        return ''.join(source.choice(pieces) for _ in range(source.randint(1, 8)))

    for _ in range(count):
        option = source.choice(['command', 'directory', 'process_name', 'stdout_logfile'])
        text = value(FORMAT_PIECES)
        environment = value(ENVIRONMENT_PIECES) if source.random() < 0.6 else ''
        prefix = '/' if option == 'stdout_logfile' else ''
        yield program('environment=%s\n%s=%s%s' % (environment, option, prefix, text))


def configurations(seed=1, count=300):
    """All configurations: name to text, bytes, or a dict of files with the main one under ''."""
    files = {}
    for make in (program_files, supervisord_files, server_files, group_files, listener_files, fastcgi_files, text_files, include_files):
        make(files)
    random_files(files, seed, count)
    return files


def write(path, content):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb') as file:
        file.write(content if isinstance(content, bytes) else content.encode())


def write_configurations(directory, seed=1, count=300):
    """Writes them, each in a directory of its own; yields name and path of the main file."""
    for name, content in configurations(seed, count).items():
        pieces = content if isinstance(content, dict) else {'': content}
        for piece, text in pieces.items():
            write(os.path.join(directory, name, piece or 'supervisord.conf'), text)
        yield name, os.path.join(directory, name, 'supervisord.conf')


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    numbers = [int(argument) for argument in sys.argv[2:4]]
    print('%d configurations' % sum(1 for _ in write_configurations(sys.argv[1], *numbers)))


if __name__ == '__main__':
    main()
