"""INI parsing: ours and CPython's `RawConfigParser` (with the reference's settings) on random adversarial files.

INI_COUNT and INI_SEED override the number of files and the seed.
"""

import io
import json
import os
import random
import struct
import subprocess
import threading

from supervisor.options import UnhosedConfigParser

from building import example

SOURCE = 'random.conf'

# Pieces a file is made of: mostly whole constructs, mixed with everything that has a meaning to the parser.
PIECES = [
    '[a]', '[b]', '[program:x]', '[ a ]', '[A]', '[DEFAULT]', '[default]', '[]', '[]]', '[[x]', '[x] junk', '[program:p',
    'k=v', 'key = value', 'K: v', 'k=', 'k =', '=v', ':', '=', 'k', 'x:y=z', 'x=y:z', 'k=a;b', 'k=a ;b', 'k=a#b #c;d',
    'k = "a ; b"', 'k=%(here)s', 'long key with spaces = 1', '; comment', '# comment', ';', '#', ' ;', '\t# x', ' ', '  ',
    '\t', '\n', '\r', '\r\n', '\n\n', '\x0b', '\x0c', '\x1c', '\x1f', '\x85', '\xa0', '\u2028', '\u3000', '\x00', '\x7f',
    '\ufeff', 'é', 'ß', 'İ', 'Σ', '日本', '😀', "'", '"', '\\', ';;', '##', ';#', '#;', ' ; # ', 'a', 'b', '=', ':', '[', ']',
    '%', 'k\x1c=v', '  continued', '\tcontinued', '    [b]', '   k=v', ' =',
]
BAD_BYTES = [b'\xff', b'\xc3', b'\xe2\x82', b'\xed\xa0\x80', b'\xf0\x9f\x98', b'\x80', b'\xc0\x80']


def random_file(source):
    pieces = []
    if source.random() < 0.8:
        pieces.append(source.choice(['[a]\n', '[supervisord]\n', '; first\n[x]\n', '\n\n[DEFAULT]\n']))
    for _ in range(source.randint(0, 14)):
        pieces.append(source.choice(PIECES))
        if source.random() < 0.6:
            pieces.append(source.choice(['\n', '\n', '\n', '\r\n', '\r', '\n ', '\n  ']))
    data = ''.join(pieces).encode()
    if source.random() < 0.02:
        at = source.randint(0, len(data))
        data = data[:at] + source.choice(BAD_BYTES) + data[at:]
    if source.random() < 0.002:
        # Across the pieces in which Python decodes.
        data = b'[a]\n' + b'k=v\n' * source.randint(2040, 2060) + data
    return data


def reference(data):
    parser = UnhosedConfigParser()
    try:
        parser.read_file(io.TextIOWrapper(io.BytesIO(data), encoding='utf-8'), SOURCE)
    except Exception as why:
        return {'error': str(why)}
    return {
        'sections': [
            [section, [[option, parser.get(section, option)] for option in parser.options(section)]]
            for section in parser.sections()
        ]
    }


def test_ini_agrees_with_python():
    count = int(os.environ.get('INI_COUNT', '100000'))
    seed = int(os.environ.get('INI_SEED', '0')) or random.SystemRandom().getrandbits(32)
    print('INI_SEED=%d INI_COUNT=%d' % (seed, count))
    source = random.Random(seed)
    files = [random_file(source) for _ in range(count)]
    child = subprocess.Popen(
        [example('parse_ini')], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )

    def feed():
        for data in files:
            child.stdin.write(struct.pack('<I', len(data)) + data)
        child.stdin.close()

    feeder = threading.Thread(target=feed)
    feeder.start()
    failures = []
    errors = 0
    for data in files:
        ours = json.loads(child.stdout.readline())
        expected = reference(data)
        errors += 'error' in expected
        if ours != expected:
            failures.append((data, ours, expected))
    feeder.join()
    child.stdout.close()
    assert child.wait() == 0
    # Both outcomes must be well represented, or the files are not adversarial but broken.
    assert count < 1000 or 0.1 < errors / count < 0.9, errors
    failures.sort(key=lambda failure: len(failure[0]))
    assert not failures, '%d of %d files differ (seed %d); the shortest:\n%s' % (
        len(failures), count, seed, '\n'.join('%r\n  ours      %s\n  reference %s' % f for f in failures[:5]),
    )
