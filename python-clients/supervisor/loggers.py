"""Loggers as the reference's plugins use them: levels, handlers, records. The daemon's own log is written elsewhere."""

from __future__ import annotations

import errno
import os
import sys
import time
import traceback
from typing import IO, Any, Dict, List, Optional

from supervisor.compat import as_string, is_text_stream, syslog


class LevelsByName:
    """Levels as they stand in the log."""

    CRIT = 50
    ERRO = 40
    WARN = 30
    INFO = 20
    DEBG = 10
    TRAC = 5
    BLAT = 3


class LevelsByDescription:
    """Levels as `loglevel=` names them."""

    critical = LevelsByName.CRIT
    error = LevelsByName.ERRO
    warn = LevelsByName.WARN
    info = LevelsByName.INFO
    debug = LevelsByName.DEBG
    trace = LevelsByName.TRAC
    blather = LevelsByName.BLAT


LOG_LEVELS_BY_NUM: Dict[int, str] = {
    number: name for name, number in vars(LevelsByName).items() if not name.startswith("_")
}


def getLevelNumByDescription(description: str) -> Any:
    """Number of a level by the name `loglevel=` has for it; None when there is none."""
    return getattr(LevelsByDescription, description, None)


def asctime(now: float) -> str:
    """A time as the log has it: local, with milliseconds."""
    seconds = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now))
    return "%s,%03d" % (seconds, (now - int(now)) * 1000)


class LogRecord:
    """One message, with values for its `%(name)s` if there are any."""

    def __init__(self, level: int, msg: Any, **kw: Any) -> None:
        self.level = level
        self.msg = msg
        self.kw = kw
        self.dictrepr: Optional[Dict[str, str]] = None

    def asdict(self) -> Dict[str, str]:
        """What a handler's format may name: message, levelname, asctime."""
        if self.dictrepr is None:
            message = as_string(self.msg)
            if self.kw:
                message = message % self.kw
            self.dictrepr = {
                "message": message, "levelname": LOG_LEVELS_BY_NUM[self.level], "asctime": asctime(time.time()),
            }
        return self.dictrepr


class Handler:
    """Writes records of a level and above to a stream, of text or of bytes."""

    fmt = "%(message)s"
    level = LevelsByName.INFO

    def __init__(self, stream: Any = None) -> None:
        self.stream = stream
        self.closed = False

    def setFormat(self, fmt: str) -> None:
        """Sets what a record becomes."""
        self.fmt = fmt

    def setLevel(self, level: int) -> None:
        """Sets the lowest level that is written."""
        self.level = level

    def flush(self) -> None:
        """Flushes the stream; that nobody reads it is no error."""
        try:
            self.stream.flush()
        except OSError as error:
            if error.errno != errno.EPIPE:
                raise

    def close(self) -> None:
        """Closes the stream, unless it is a standard one."""
        if self.closed:
            return
        try:
            if self.stream.fileno() < 3:
                return
        except (AttributeError, OSError):
            pass
        self.stream.close()
        self.closed = True

    def remove(self) -> None:
        """Throws away what was written, where that can be done."""

    def reopen(self) -> None:
        """Opens the file anew, where there is one."""

    def emit(self, record: LogRecord) -> None:
        """Writes a record. What goes wrong is printed to standard error, and no more."""
        try:
            self.stream.write(self._rendered(record))
            self.flush()
        except Exception:
            self.handleError()

    def _rendered(self, record: LogRecord) -> Any:
        plain = self.fmt == "%(message)s" and record.kw in ({}, {"exc_info": None})
        if plain and isinstance(record.msg, bytes):
            return record.msg
        text = self.fmt % record.asdict()
        return text if is_text_stream(self.stream) else text.encode("utf-8")

    def handleError(self) -> None:
        """Prints the exception that is being handled."""
        traceback.print_exc(file=sys.stderr)


class StreamHandler(Handler):
    """Writes to a stream that is there."""

    def __init__(self, strm: Any = None) -> None:
        Handler.__init__(self, strm)

    def remove(self) -> None:
        if hasattr(self.stream, "clear"):
            self.stream.clear()


class BoundIO:
    """A stream of bytes in memory that forgets the oldest when it is full."""

    def __init__(self, maxbytes: int, buf: bytes = b"") -> None:
        self.maxbytes = maxbytes
        self.buf = buf

    def flush(self) -> None:
        """Does nothing."""

    def close(self) -> None:
        """Forgets everything."""
        self.clear()

    def write(self, b: bytes) -> None:
        """Adds bytes; as many of the oldest go where there is no room."""
        if len(self.buf) + len(b) > self.maxbytes:
            self.buf = self.buf[len(b):]
        self.buf += b

    def getvalue(self) -> bytes:
        """What is there."""
        return self.buf

    def clear(self) -> None:
        """Forgets everything."""
        self.buf = b""


class FileHandler(Handler):
    """Appends to a file, which can be opened anew after something has renamed it."""

    def __init__(self, filename: str, mode: str = "ab") -> None:
        Handler.__init__(self)
        self.baseFilename = filename
        self.mode = mode
        self.stream = self._open()

    def _open(self) -> IO[Any]:
        try:
            return open(self.baseFilename, self.mode)
        except OSError as error:
            if self.mode != "ab" or error.errno != errno.ESPIPE:
                raise
            # A pipe or a terminal has no end to seek to.
            self.mode = "wb"
            return open(self.baseFilename, self.mode)

    def reopen(self) -> None:
        self.close()
        self.stream = self._open()
        self.closed = False

    def remove(self) -> None:
        self.close()
        try:
            os.remove(self.baseFilename)
        except FileNotFoundError:
            pass


class RotatingFileHandler(FileHandler):
    """Appends to a file; once it has maxBytes it becomes `NAME.1`, which becomes `NAME.2`, up to backupCount."""

    def __init__(self, filename: str, mode: str = "ab", maxBytes: int = 512 * 1024 * 1024, backupCount: int = 10) -> None:
        FileHandler.__init__(self, filename, "ab" if maxBytes > 0 else mode)
        self.maxBytes = maxBytes
        self.backupCount = backupCount

    def emit(self, record: LogRecord) -> None:
        FileHandler.emit(self, record)
        self.doRollover()

    def doRollover(self) -> None:
        """Rotates the files if this one is full."""
        if self.maxBytes <= 0 or self.stream.tell() < self.maxBytes:
            return
        self.stream.close()
        names = [self.baseFilename] + [f"{self.baseFilename}.{number}" for number in range(1, self.backupCount + 1)]
        for older, newer in zip(names[:0:-1], names[-2::-1]):
            try:
                os.replace(newer, older)
            except FileNotFoundError:
                pass
        self.stream = open(self.baseFilename, "wb")


class SyslogHandler(Handler):
    """Writes each line of a record to the syslog daemon."""

    def __init__(self) -> None:
        Handler.__init__(self)
        assert syslog is not None, "Syslog module not present"

    def close(self) -> None:
        pass

    def emit(self, record: LogRecord) -> None:
        try:
            params = record.asdict()
            for line in params["message"].rstrip("\n").split("\n"):
                params["message"] = line
                self._syslog(self.fmt % params)
        except Exception:
            self.handleError()

    def _syslog(self, msg: str) -> None:
        assert syslog is not None
        syslog.syslog(msg)


class Logger:
    """Hands messages of a level and above to its handlers."""

    def __init__(self, level: Optional[int] = None, handlers: Optional[List[Handler]] = None) -> None:
        self.level = LevelsByName.INFO if level is None else level
        self.handlers = [] if handlers is None else handlers

    def close(self) -> None:
        """Closes the handlers."""
        for handler in self.handlers:
            handler.close()

    def addHandler(self, hdlr: Handler) -> None:
        """Adds a handler."""
        self.handlers.append(hdlr)

    def log(self, level: int, msg: Any, **kw: Any) -> None:
        """Hands a message to the handlers, whatever the level of the logger."""
        record = LogRecord(level, msg, **kw)
        for handler in self.handlers:
            if level >= handler.level:
                handler.emit(record)

    def _log_from(self, level: int, msg: Any, kw: Dict[str, Any]) -> None:
        if level >= self.level:
            self.log(level, msg, **kw)

    def blather(self, msg: Any, **kw: Any) -> None:
        """Logs at BLAT."""
        self._log_from(LevelsByName.BLAT, msg, kw)

    def trace(self, msg: Any, **kw: Any) -> None:
        """Logs at TRAC."""
        self._log_from(LevelsByName.TRAC, msg, kw)

    def debug(self, msg: Any, **kw: Any) -> None:
        """Logs at DEBG."""
        self._log_from(LevelsByName.DEBG, msg, kw)

    def info(self, msg: Any, **kw: Any) -> None:
        """Logs at INFO."""
        self._log_from(LevelsByName.INFO, msg, kw)

    def warn(self, msg: Any, **kw: Any) -> None:
        """Logs at WARN."""
        self._log_from(LevelsByName.WARN, msg, kw)

    def error(self, msg: Any, **kw: Any) -> None:
        """Logs at ERRO."""
        self._log_from(LevelsByName.ERRO, msg, kw)

    def critical(self, msg: Any, **kw: Any) -> None:
        """Logs at CRIT."""
        self._log_from(LevelsByName.CRIT, msg, kw)

    def getvalue(self) -> bytes:
        """What a handler in memory has (handle_boundIO)."""
        raise NotImplementedError


def getLogger(level: Optional[int] = None) -> Logger:
    """A logger without handlers."""
    return Logger(level)


def _handle(logger: Logger, handler: Handler, fmt: str) -> None:
    handler.setFormat(fmt)
    handler.setLevel(logger.level)
    logger.addHandler(handler)


def handle_boundIO(logger: Logger, fmt: str, maxbytes: int = 2 * 1024 * 1024) -> None:
    """Has a logger keep its messages in memory; `getvalue` of it returns them."""
    memory = BoundIO(maxbytes)
    _handle(logger, StreamHandler(memory), fmt)
    logger.getvalue = memory.getvalue  # type: ignore[method-assign]


def handle_stdout(logger: Logger, fmt: str) -> None:
    """Has a logger write to standard output."""
    _handle(logger, StreamHandler(sys.stdout), fmt)


def handle_syslog(logger: Logger, fmt: str) -> None:
    """Has a logger write to the syslog daemon."""
    _handle(logger, SyslogHandler(), fmt)


def handle_file(
    logger: Logger, filename: str, fmt: str, rotating: bool = False, maxbytes: int = 0, backups: int = 0
) -> None:
    """Has a logger write to a file, or to the syslog daemon if that is the name."""
    handler: Handler
    if filename == "syslog":
        handler = SyslogHandler()
    elif rotating:
        handler = RotatingFileHandler(filename, "a", maxbytes, backups)
    else:
        handler = FileHandler(filename)
    _handle(logger, handler, fmt)
