"""What the configuration tests share: our example binaries, and the reference's loader with its surroundings tamed."""

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import types

from supervisor import datatypes, options

from building import example

INT_MIN, INT_MAX = -(2**63), 2**63 - 1


class Exit(Exception):
    """The reference called exit."""


class QuietOptions(options.ServerOptions):
    """The reference's options without its poller, writing to memory and raising instead of exiting."""

    def __init__(self):
        self.stdout = io.StringIO()
        self.stderr = io.StringIO()
        options.ServerOptions.__init__(self)

    @staticmethod
    def exit(code):
        raise Exit(code)

    class warnings:
        @staticmethod
        def warn(message):
            pass


options.poller.Poller = lambda options: None


def provide_supervisor_stdout():
    """The result handler many configurations name lives in a package of its own; ours is built in."""
    module = types.ModuleType('supervisor_stdout')
    module.event_handler = lambda event, response: None
    sys.modules.setdefault('supervisor_stdout', module)


provide_supervisor_stdout()


def clamp(number):
    return max(INT_MIN, min(INT_MAX, number))


def bits(number):
    """A mask as 32 bits, from the number cut off at 64."""
    return None if number is None else clamp(int(number)) & 0xffffffff


def owner(pair):
    if pair is None or pair == (-1, -1):
        return None
    uid, gid = pair
    return [uid, None if gid == -1 else gid]


LEVELS = {50: 'CRIT', 40: 'ERRO', 30: 'WARN', 20: 'INFO', 10: 'DEBG', 5: 'TRAC', 3: 'BLAT'}


def channel(process, name):
    logfile = getattr(process, name + '_logfile')
    if logfile is datatypes.Automatic:
        logfile = True
    return {
        'logfile': logfile,
        'logfile_maxbytes': clamp(getattr(process, name + '_logfile_maxbytes')),
        'logfile_backups': clamp(getattr(process, name + '_logfile_backups')),
        'capture_maxbytes': clamp(getattr(process, name + '_capture_maxbytes')),
        'events_enabled': getattr(process, name + '_events_enabled'),
        'syslog': getattr(process, name + '_syslog'),
    }


AUTORESTART = {
    False: 'never',
    datatypes.RestartWhenExitUnexpected: 'unexpected',
    datatypes.RestartUnconditionally: 'always',
}


def process_dict(process):
    return {
        'name': process.name,
        'uid': process.uid,
        'command': process.command,
        'directory': process.directory,
        'umask': bits(process.umask),
        'priority': clamp(process.priority),
        'autostart': process.autostart,
        'autorestart': AUTORESTART[process.autorestart],
        'startsecs': clamp(process.startsecs),
        'startretries': clamp(process.startretries),
        'stdout': channel(process, 'stdout'),
        'stderr': channel(process, 'stderr'),
        'stopsignal': int(process.stopsignal),
        'stopwaitsecs': clamp(process.stopwaitsecs),
        'stopasgroup': process.stopasgroup,
        'killasgroup': process.killasgroup,
        'exitcodes': process.exitcodes,
        'redirect_stderr': process.redirect_stderr,
        'environment': [list(item) for item in process.environment.items()],
        'serverurl': process.serverurl,
    }


EVENT_NAMES = {
    value: name for name, value in vars(__import__('supervisor.events').events.EventTypes).items() if name.isupper()
}


def group_dict(group):
    kind = 'plain'
    if isinstance(group, options.EventListenerPoolConfig):
        kind = {
            'buffer_size': clamp(group.buffer_size),
            'events': sorted(EVENT_NAMES[event] for event in group.pool_events),
        }
    elif isinstance(group, options.FastCGIGroupConfig):
        socket = group.socket_config
        kind = {
            'url': socket.url,
            'owner': owner(getattr(socket, 'owner', None)),
            'mode': bits(getattr(socket, 'mode', None)),
            'backlog': socket.backlog,
        }
    return {
        'name': group.name,
        'priority': clamp(group.priority),
        'kind': kind,
        'processes': [process_dict(process) for process in group.process_configs],
    }


def server_dict(server):
    if server['family'] == options.socket.AF_INET:
        address = {'host': server['host'], 'port': server['port']}
    else:
        address = {
            'file': server['file'],
            'chmod': bits(server['chmod']),
            'chown': owner(server['chown']),
        }
    credentials = None
    if server['username'] is not None:
        credentials = [server['username'], server['password']]
    return {'section': server['section'], 'credentials': credentials, 'address': address}


def options_dict(loaded):
    section = loaded.configroot.supervisord
    return {
        'settings': {
            'configfile': loaded.configfile,
            'here': loaded.here,
            'nodaemon': bool(loaded.nodaemon),
            'silent': bool(loaded.silent),
            'uid': loaded.uid,
            'umask': bits(loaded.umask),
            'directory': loaded.directory,
            # Ours are absolute as soon as they are read; of the reference's some never are, some only until a reread.
            'logfile': loaded.logfile if loaded.logfile == 'syslog' else options.normalize_path(loaded.logfile),
            'logfile_maxbytes': clamp(loaded.logfile_maxbytes),
            'logfile_backups': clamp(loaded.logfile_backups),
            'loglevel': LEVELS[loaded.loglevel],
            'pidfile': options.normalize_path(loaded.pidfile),
            'identifier': loaded.identifier,
            'childlogdir': os.path.join(os.getcwd(), loaded.childlogdir),
            'nocleanup': bool(loaded.nocleanup),
            'strip_ansi': bool(loaded.strip_ansi),
            'minfds': clamp(loaded.minfds),
            'minprocs': clamp(loaded.minprocs),
            'serverurl': loaded.serverurl,
        },
        'servers': [server_dict(server) for server in section.server_configs],
        'rpcinterfaces': [name for name, _, _ in section.rpcinterface_factories],
        'groups': [group_dict(group) for group in loaded.process_group_configs],
        'messages': [['CRIT', text] for text in loaded.parse_criticals]
        + [['WARN', text] for text in loaded.parse_warnings]
        + [['INFO', text] for text in loaded.parse_infos],
    }


@contextlib.contextmanager
def surroundings(directory, variables):
    """Runs in a directory with exactly these environment variables, in their order."""
    saved_variables, saved_directory = dict(os.environ), os.getcwd()
    os.environ.clear()
    os.environ.update(variables)
    os.chdir(directory)
    tempfile.tempdir = None
    try:
        yield
    finally:
        os.chdir(saved_directory)
        os.environ.clear()
        os.environ.update(saved_variables)
        tempfile.tempdir = None


def load_reference(file, arguments=(), reload_from=None):
    """What the reference makes of a command line, in the form `load_config` prints."""
    arguments = (['-c', file] if file else []) + list(arguments)
    loaded = QuietOptions()
    # The search for a configuration starts beside the program.
    loaded.searchpaths = ['etc/supervisord.conf', 'supervisord.conf'] + loaded.searchpaths[2:]
    try:
        loaded.realize(arguments, doc='', progname='supervisord')
        if reload_from is not None:
            shutil.copyfile(reload_from, file)
            loaded.process_config(do_usage=False)
    except Exit as why:
        stderr = loaded.stderr.getvalue()
        error = stderr.removeprefix('Error: ').removesuffix('\nFor help, use supervisord -h\n')
        return {'error': error, 'code': why.args[0], 'stdout': loaded.stdout.getvalue()}
    except ValueError as why:
        return {'error': str(why)}
    return {'config': options_dict(loaded)}


class Session:
    """A scratch directory to work in with a small fixed environment, the reference in this process and our
    `load_config` kept running beside it."""

    def __init__(self):
        binary = example('load_config')
        self.scratch = os.path.realpath(tempfile.mkdtemp(prefix='supervisord-rs-configs-'))
        home = os.path.join(self.scratch, 'home')
        os.mkdir(home)
        self.variables = {'PATH': '/usr/bin:/bin', 'HOME': home, 'LANG': 'C.UTF-8', 'GREETING': "it's ü"}
        self.child = subprocess.Popen(
            [binary, '--batch'],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=self.scratch,
            env=self.variables,
        )

    def reference(self, file, arguments=(), env=(), reload_from=None):
        """What the reference answers; `env` adds to the environment."""
        variables = {name: value for name, value in self.variables.items() if name not in dict(env)}
        with surroundings(self.scratch, {**variables, **dict(env)}):
            return load_reference(file, arguments, reload_from)

    def load(self, file, arguments=(), env=(), reload_from=None):
        """What `load_config` answers."""
        fields = ['@%s=%s' % pair for pair in env]
        if reload_from is not None:
            fields.append('!' + reload_from)
        line = '\t'.join(fields + [file] + list(arguments)) + '\n'
        assert line.count('\n') == 1
        self.child.stdin.write(line.encode())
        self.child.stdin.flush()
        answer = self.child.stdout.readline()
        if not answer:
            raise RuntimeError('load_config ended with %r' % self.child.wait())
        return json.loads(answer)

    def close(self):
        self.child.stdin.close()
        self.child.stdout.close()
        self.child.wait()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()


def comparable(ours):
    """Our answer in the form of `load_reference`."""
    if 'error' in ours or 'exit' not in ours:
        return ours
    stderr = ours['exit']['stderr']
    error = stderr[stderr.find('Error: '):].removeprefix('Error: ')
    error = error.removesuffix('\nFor help, use supervisord -h\n')
    return {'error': error, 'code': ours['exit']['code'], 'stdout': ours['exit']['stdout']}


def differences(ours, reference, path=''):
    """The places where two loaded configurations differ, as lines of text."""
    if isinstance(ours, dict) and isinstance(reference, dict):
        lines = []
        for key in sorted(set(ours) | set(reference)):
            lines += differences(ours.get(key), reference.get(key), '%s.%s' % (path, key))
        return lines
    if isinstance(ours, list) and isinstance(reference, list) and len(ours) == len(reference):
        lines = []
        for index, (left, right) in enumerate(zip(ours, reference)):
            lines += differences(left, right, '%s[%d]' % (path, index))
        return lines
    if type(ours) is type(reference) and ours == reference:
        return []
    return ['%s: ours %r, reference %r' % (path.lstrip('.'), ours, reference)]


def compare(session, file, arguments=(), env=(), reload_from=None, original=None):
    """Loads with both; returns the reference's answer and the differences. For a reload, `original` is restored."""
    if original is not None:
        shutil.copyfile(original, file)
    reference = session.reference(file, arguments, env, reload_from)
    if original is not None:
        shutil.copyfile(original, file)
    ours = comparable(session.load(file, arguments, env, reload_from))
    if 'code' not in ours:
        # A mistake in a file ends both with status 2, by way of `usage`.
        reference.pop('code', None)
        reference.pop('stdout', None)
    return reference, differences(ours, reference)

