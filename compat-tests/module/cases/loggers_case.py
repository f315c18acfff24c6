"""Loggers, their handlers and records."""

import io
import os
import re
import sys
import tempfile

from showing import show
from supervisor import loggers

for name in ("LevelsByName", "LevelsByDescription"):
    print(sorted((k, v) for k, v in vars(getattr(loggers, name)).items() if not k.startswith("_")))
print(sorted(loggers.LOG_LEVELS_BY_NUM.items()))
for word in ("info", "INFO", "nope", "warn", ""):
    show(word, loggers.getLevelNumByDescription, word)

METHODS = ("blather", "trace", "debug", "info", "warn", "error", "critical")
with tempfile.TemporaryDirectory() as directory:
    os.chdir(directory)
    for level in (None, loggers.LevelsByName.BLAT, loggers.LevelsByName.CRIT):
        logger = loggers.getLogger(level)
        loggers.handle_boundIO(logger, "%(levelname)s %(message)s|", 60)
        loggers.handle_file(logger, "plain", "%(message)s\n")
        loggers.handle_file(logger, "rotating", "%(message)s\n", rotating=True, maxbytes=20, backups=2)
        for number, method in enumerate(METHODS):
            getattr(logger, method)(f"message {number}")
        logger.info("with %(a)s", a="värde")
        logger.log(loggers.LevelsByName.INFO, "always")
        print(logger.level, logger.getvalue(), [type(handler).__name__ for handler in logger.handlers])
        os.rename("plain", f"plain-{level}")
        logger.handlers[1].reopen()
        logger.critical("after")
        logger.handlers[2].remove()
        logger.handlers[2].reopen()
        logger.close()
        for name in sorted(os.listdir()):
            with open(name, "rb") as file:
                print(name, file.read())
    handler = loggers.FileHandler("bytes")
    handler.emit(loggers.LogRecord(loggers.LevelsByName.INFO, b"\xff raw"))
    handler.remove()
    handler.remove()
    print(os.path.exists("bytes"), handler.closed)
    show("no directory", loggers.FileHandler, "no/such")
for stream in (io.StringIO(), io.BytesIO()):
    handler = loggers.StreamHandler(stream)
    handler.setFormat("%(asctime)s %(message)s")
    handler.setLevel(loggers.LevelsByName.WARN)
    for record in (loggers.LogRecord(20, b"bytes"), loggers.LogRecord(40, "text")):
        handler.emit(record)
    print(re.sub(r"\d", "9", str(stream.getvalue())), handler.level)
sys.stderr = io.StringIO()
loggers.StreamHandler(io.StringIO()).emit(loggers.LogRecord(20, b"\xff undecodable", a=1))
print("UnicodeDecodeError" in sys.stderr.getvalue())
memory = loggers.BoundIO(5, b"ab")
for part in (b"cd", b"ef", b"0123456789"):
    memory.write(part)
    print(memory.getvalue())
memory.close()
show("no value", loggers.getLogger().getvalue)
print(loggers.LogRecord(20, "a %(b)s", b=2).asdict()["message"], loggers.LogRecord(50, "x").asdict()["levelname"])
