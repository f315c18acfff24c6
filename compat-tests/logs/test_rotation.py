"""Logs compared with the reference: rotation, reading and tailing ranges, removal of ANSI escapes.

Every test makes random cases from a fixed seed, has both implementations do the same, and compares the outcome.
"""

import os
import random
import subprocess
from pathlib import Path

import pytest

from supervisor import loggers
from supervisor.dispatchers import stripEscapes
from supervisor.options import readFile, tailFile

from building import example
from harness import LONG_SECS



def ask(name, lines, *arguments):
    """The lines a tool answers to these lines."""
    done = subprocess.run(
        [example(name), *map(str, arguments)],
        input="".join(line + "\n" for line in lines),
        capture_output=True,
        text=True,
        timeout=LONG_SECS,
    )
    assert done.returncode == 0 and done.stderr == "", done
    return done.stdout.splitlines()


def snapshot(directory):
    return {entry.name: entry.read_bytes() for entry in Path(directory).iterdir()}


def reference_log(path, max_bytes, backups, script):
    """What a program's log is in the reference (`POutputDispatcher._init_normallog`)."""
    logger = loggers.getLogger()
    loggers.handle_file(
        logger, str(path), "%(message)s", rotating=bool(max_bytes), maxbytes=max_bytes, backups=backups
    )
    (handler,) = logger.handlers
    for action, data in script:
        if action == "write":
            logger.info(data)
        elif action == "clear":
            handler.remove()
            handler.reopen()
        else:
            handler.reopen()
    logger.close()


def chunk(rng, max_bytes):
    length = rng.choice([1, max(max_bytes - 1, 1), max(max_bytes, 1), max_bytes + 1, rng.randint(1, 300)])
    return bytes(rng.randrange(256) for _ in range(length))


def rotation_case(seed):
    rng = random.Random(seed)
    max_bytes = rng.choice([0, 0, 1, 10, 50, 100, 200])
    backups = rng.choice([-1, 0, 1, 2, 3, 12])
    existing = {}
    for number in range(rng.choice([0, 0, 3, 14])):
        if rng.random() < 0.7:  # gaps stay gaps
            existing["app.log" + (f".{number}" if number else "")] = chunk(rng, max_bytes)
    script = []
    for _ in range(rng.randint(1, 40)):
        action = rng.choices(["write", "reopen", "clear"], [20, 2, 1])[0]
        script.append((action, chunk(rng, max_bytes) if action == "write" else b""))
    return max_bytes, backups, existing, script


@pytest.mark.parametrize("seed", range(150))
def test_rotation(seed, tmp_path):
    max_bytes, backups, existing, script = rotation_case(seed)
    for name in ("reference", "ours"):
        (tmp_path / name).mkdir()
        for file, data in existing.items():
            (tmp_path / name / file).write_bytes(data)
    reference_log(tmp_path / "reference" / "app.log", max_bytes, backups, script)
    lines = [f"{action} {data.hex()}".strip() for action, data in script]
    ask("rotate_log", lines, tmp_path / "ours" / "app.log", max_bytes, backups)
    assert snapshot(tmp_path / "ours") == snapshot(tmp_path / "reference")


def numbers(rng, size):
    """Offsets and lengths around everything that matters."""
    near = [0, 1, -1, size, size - 1, size + 1, -size, -size - 1, size // 2, -(size // 2), 2**31 - 1, -(2**31)]
    return rng.choice([rng.choice(near), rng.randint(-2 * size - 3, 2 * size + 3)])


def hexed(text):
    return text.encode().hex() or "-"


def reference_read(path, offset, length):
    """`rpcinterface.readLog` and its siblings, but for bytes that are not UTF-8."""
    if not os.path.exists(path):
        return f"fault NO_FILE: {path}"
    try:
        return hexed(readFile(path, offset, length).decode("utf-8", "replace"))
    except ValueError as error:
        return f"fault {error.args[0]}"


def reference_tail(path, offset, length):
    if not os.path.exists(path):
        return "- 0 false"
    text, size, overflow = tailFile(path, offset, length)
    return f"{hexed(text)} {size} {str(overflow).lower()}"


@pytest.mark.parametrize("verb, reference", [("read", reference_read), ("tail", reference_tail)])
def test_ranges(verb, reference, tmp_path):
    rng = random.Random(verb)
    questions, expected = [], []
    for size in [0, 1, 2, 3, 10, 100, 1023, 1024, 1025, 10_000, 200_000]:
        path = tmp_path / f"{size}.log"
        path.write_bytes(bytes(rng.choice(b"abcdefgh \n") for _ in range(size)))
        for _ in range(300):
            offset, length = numbers(rng, size), numbers(rng, size)
            questions.append(f"{verb} {offset} {length} {path}")
            expected.append(reference(str(path), offset, length))
    for path in [tmp_path / "missing.log", tmp_path, Path("/dev/null")]:
        for offset, length in [(0, 0), (5, 5), (-5, 0), (-1, 1), (0, -1)]:
            questions.append(f"{verb} {offset} {length} {path}")
            expected.append(reference(str(path), offset, length))
    answers = ask("log_text", questions)
    assert dict(zip(questions, answers, strict=True)) == dict(zip(questions, expected))


def test_reads_of_bytes_that_are_not_utf8(tmp_path):
    """The reference answers HTTP 500; ours puts U+FFFD where Python's decoder would."""
    rng = random.Random(8)
    questions, expected = [], []
    for number in range(200):
        path = tmp_path / f"{number}.log"
        path.write_bytes(
            b"".join(
                rng.choice([b"a", "é".encode(), "€".encode(), "😀".encode()[: rng.randint(1, 4)], b"\xff", b"\xed\xa0"])
                for _ in range(20)
            )
        )
        questions.append(f"read {rng.randint(0, 5)} {rng.randint(0, 40)} {path}")
        _, offset, length, _ = questions[-1].split()
        expected.append(reference_read(str(path), int(offset), int(length)))
    assert ask("log_text", questions) == expected


def test_strip_ansi():
    rng = random.Random(27)
    pieces = [b"\x1b[", b"\x1b", b"[", b"m", b"H", b"31;1", b"text", b"\n", b"\x1b[0m", b"\xff\x00", b"\x1b[2J"]
    cases = [b"".join(rng.choice(pieces) for _ in range(rng.randint(0, 12))) for _ in range(5000)]
    cases += [bytes(rng.choice(b"\x1b[mHAz0") for _ in range(rng.randint(0, 12))) for _ in range(5000)]
    answers = ask("log_text", [f"strip {case.hex()}".strip() for case in cases])
    expected = [stripEscapes(case).hex() or "-" for case in cases]
    assert dict(zip(cases, answers, strict=True)) == dict(zip(cases, expected))
