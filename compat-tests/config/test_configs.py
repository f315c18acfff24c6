"""Whole configurations: everything our loader loads is what the reference loads, error texts included.

CONFIGS_SEED and CONFIGS_COUNT choose the random configurations; CORPUS_DIR names a directory of real ones.
"""

import importlib.machinery
import importlib.util
import os
import random

import pytest

import configtools
import make_configs
from harness import TESTS


def load_script(name):
    path = str(TESTS / name)
    loader = importlib.machinery.SourceFileLoader(name, path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


@pytest.fixture(scope='module')
def session():
    with configtools.Session() as session:
        yield session


def report(failures):
    shown = ['%s:\n    %s' % (name, '\n    '.join(lines[:5])) for name, lines in failures[:10]]
    return '%d differ\n%s' % (len(failures), '\n'.join(shown))


def test_generated_configurations(session):
    seed = int(os.environ.get('CONFIGS_SEED', '1'))
    count = int(os.environ.get('CONFIGS_COUNT', '300'))
    print('CONFIGS_SEED=%d CONFIGS_COUNT=%d' % (seed, count))
    directory = os.path.join(session.scratch, 'generated')
    failures = []
    loaded = total = 0
    for name, path in make_configs.write_configurations(directory, seed, count):
        reference, lines = configtools.compare(session, path)
        total += 1
        loaded += 'config' in reference
        if lines:
            failures.append((name, lines))
    assert not failures, report(failures)
    assert total >= 200 and 0.25 < loaded / total < 0.75, (loaded, total)


def test_random_values(session):
    """Formats and environments of random pieces: what they become, or why they cannot."""
    seed = int(os.environ.get('CONFIGS_SEED', '0')) or random.SystemRandom().getrandbits(32)
    count = int(os.environ.get('VALUES_COUNT', '4000'))
    print('CONFIGS_SEED=%d VALUES_COUNT=%d' % (seed, count))
    path = os.path.join(session.scratch, 'random.conf')
    failures = []
    for text in make_configs.random_values(seed, count):
        make_configs.write(path, text)
        _, lines = configtools.compare(session, path)
        if lines:
            failures.append((repr(text), lines))
    failures.sort(key=lambda failure: len(failure[0]))
    assert not failures, report(failures)


def test_directory_of_configurations(tmp_path):
    """The command that users run before they switch: on real files where there are some, else on some of ours."""
    compare_configs = load_script('compare_configs')
    directory = os.environ.get('CORPUS_DIR')
    if not directory:
        directory = str(tmp_path / 'own')
        os.mkdir(directory)
        for name, path in make_configs.write_configurations(str(tmp_path / 'generated'), 7, 40):
            if os.path.basename(path).endswith('.conf') and name.startswith('random'):
                os.link(path, os.path.join(directory, '%s.conf' % name.replace('/', '-')))
    results = list(compare_configs.compare_directory(directory))
    assert results
    failures = [(name, lines) for name, _, lines in results if lines]
    assert not failures, report(failures)


BASE = '[supervisord]\nlogfile=main.log\nidentifier=one\nenvironment=A="1"\n[unix_http_server]\nfile=/one\n'


@pytest.mark.parametrize('before, after, arguments', [
    (BASE, BASE, []),
    (BASE, BASE.replace('one', 'two').replace('main.log', 'other.log'), []),
    (BASE, BASE, ['-l', 'given.log']),
    (BASE, BASE, ['-l', '']),
    (BASE, BASE, ['-j', './given.pid']),
    (BASE + 'chmod=0777\n', BASE, ['-i', 'given', '-n', '-u', 'root']),
    (BASE, BASE + '[program:p]\ncommand=/bin/cat\n', []),
    # The environment of an earlier reading stays available.
    (BASE, BASE.replace('environment=A="1"', '') + '[program:p]\ncommand=%(ENV_A)s\n', []),
    (BASE, BASE.replace('A="1"', 'B="2"') + '[program:p]\ncommand=%(ENV_A)s%(ENV_B)s%(ENV_C)s\n', []),
    (BASE, BASE + 'user=nobody\n', []),
    (BASE, BASE.replace('[supervisord]', '[supervisord]\nuser=no-such-user'), []),
    (BASE.replace('[supervisord]', '[supervisord]\nuser=nobody'), BASE, []),
    (BASE, BASE.replace('[supervisord]', '[supervisord]\nlogfile=/no/such/x'), []),
    (BASE, 'nonsense\n', []),
    (BASE, '[a]\nnonsense\n', []),
    (BASE, b'[supervisord]\nidentifier=\xff\n', []),
    (BASE, BASE + '[program:p]\nautostart=maybe\n', []),
    (BASE, BASE + '[program:p]\ncommand=x\nstdout_logfile=syslog\n', []),
    (BASE, BASE.replace('main.log', 'syslog'), []),
    (BASE, BASE.replace('file=/one', 'file=/two'), []),
    (BASE, BASE.replace('[supervisord]', '[supervisord]\nloglevel=debug\nminfds=5\nchildlogdir=/\nstrip_ansi=1'), ['-a', '9']),
])
def test_reload(session, before, after, arguments, tmp_path):
    main, original, changed = (str(tmp_path / name) for name in ('supervisord.conf', 'before', 'after'))
    for path, text in ((original, before), (changed, after)):
        make_configs.write(path, text)
    _, lines = configtools.compare(session, main, arguments, reload_from=changed, original=original)
    assert not lines


@pytest.mark.parametrize('arguments', [line.split('|') for line in [
    '', '-n', '-nk', '-nt', '-nk -s'.replace(' ', '|'), '-nkst', '--nodaemon', '--nod', '--no', '--n', '--noc', '--nodaemon=1', '--nodaemon=', '-n|-n', '-n|--nodaemon', '-i|a', '-ia',
    '-i|', '--identifier|a', '--identifier=a', '--identifier=', '--ident=a=b', '--i|x', '-i', '--identifier', '-i|a|-i|b', '-ni|x', '-nix', '-in', '-l|x.log', '-l|/no/x', '-l|~/x', '-l|',
    '--logfile=x', '--logfile_maxbytes=1KB', '--logfile_m=1KB', '--logfile_=1', '--log=1', '--l=1', '-y|1KB', '-y|x', '-z|5', '-z|x', '-e|DEBUG', '-e|x', '--loglevel=warn', '-j|x.pid', '-j|/no/x',
    '-j|', '-q|/tmp', '-q|/no', '-a|5', '-a|x', '--minfds=7', '--min=7', '--minprocs=7', '--minprocs|x', '--minp=8', '-m|077', '-m|9', '-m|', '-d|/', '-d|/no', '-d|', '-u|root', '-u|nobody',
    '-u|nope', '-u|', '-k', '-t', '-s', '-h|-i', '-v', '--version', '--v', '-nv', '-v|-x', '-x', '-nx', '--x', '--', '--|x', '-', 'x', 'x|-n', '-n|x|y', "it's", '-c|x', '-cx', '--configuration=x',
    '--c=x', '--ch=/tmp', '--co=x', '--=x', '---', '--a', '--ab', '-:', '-é', '--é', '--profile_options=callers', '--p=x', '--pr=x', '--profile_options=a|--profile_options=b', '-a|1|-a|2',
    '-a|x|-h', '-z|1_0', '-e|', '--strip', '--silent', '--s', '--si', '--st', '--h=1', '--u|x', '--um|022', '--d|/', '-i|%(here)s', '-i|-n', '--help=', '-v|x', '-i|a|--|-n', '-W',
]])
def test_command_line(session, arguments, tmp_path):
    arguments = [argument for argument in arguments] if arguments != [''] else []
    main = str(tmp_path / 'supervisord.conf')
    make_configs.write(main, '[supervisord]\nidentifier=file\nlogfile=f.log\nnodaemon=false\nuser=0\n[inet_http_server]\nport=1\n')
    reference, lines = configtools.compare(session, main, arguments)
    assert not lines
    assert reference


def test_search_for_a_configuration(session):
    _, lines = configtools.compare(session, '')
    assert not lines
    for place in ('etc/supervisord.conf', 'supervisord.conf'):
        path = os.path.join(session.scratch, place)
        make_configs.write(path, '[supervisord]\n')
        reference, lines = configtools.compare(session, '')
        os.unlink(path)
        assert not lines
        assert reference['config']['settings']['configfile'] == place


def test_help_has_every_option(session):
    for option in ('-h', '--help', '-?'):
        stdout = session.load('', [option])['exit']['stdout']
        assert 'supervisord -- run a set of applications' in stdout
        assert '-l/--logfile FILENAME -- use FILENAME as' in stdout
        assert stdout.count('\n-') == 25
    assert session.load('', ['--about'])['exit']['stdout'].startswith('supervisord-rs ')


def test_missing_and_unreadable_files(session, tmp_path):
    for path in (str(tmp_path / 'nope.conf'), str(tmp_path), '/dev/null', str(tmp_path / 'x' / 'y')):
        _, lines = configtools.compare(session, path)
        assert not lines


@pytest.mark.parametrize('env', [
    [('TMPDIR', '/var/tmp')], [('TMPDIR', '/no/such')], [('TMPDIR', '')], [('HOME', '/')], [('HOME', '/x//')], [('A', '%(here)s')], [('TMPDIR', '.')],
    [('EMPTY', '')], [('A', "it's \"quoted\" \\ é")],
])
def test_environments(session, env, tmp_path):
    main = str(tmp_path / 'supervisord.conf')
    names = ' '.join('%%(ENV_%s)s' % name for name, _ in env)
    make_configs.write(main, '[supervisord]\nidentifier=%s\n[program:p]\ncommand=%s %%s\ndirectory=~/x\nstdout_logfile=~/x\n' % (names, names))
    _, lines = configtools.compare(session, main, env=env)
    assert not lines
