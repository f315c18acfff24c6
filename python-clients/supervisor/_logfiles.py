"""Reading log files as the daemon's methods do (`supervisor.options` shows it)."""

from __future__ import annotations

import os
from typing import List, Union

from supervisor.compat import as_string


def readFile(filename: str, offset: int, length: int) -> bytes:
    """`length` bytes from `offset`, without a length up to the end; a negative offset, without a length, counts from the
    end. Raises ValueError with the name of a fault, BAD_ARGUMENTS or FAILED."""
    try:
        with open(filename, "rb") as file:
            if offset < 0 and length or length < 0:
                raise ValueError("BAD_ARGUMENTS")
            if offset < 0:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size + offset))
                return file.read(-offset)
            file.seek(offset)
            return file.read(length or -1)
    except OSError:
        raise ValueError("FAILED") from None


def tailFile(filename: str, offset: int, length: int) -> List[Union[str, int, bool]]:
    """The last `length` bytes as text, where the file ends, and whether it has more than `offset + length`. Of a file
    that cannot be read: nothing, the offset, no."""
    try:
        with open(filename, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            overflow = size > offset + length
            start = offset
            if overflow:
                start = size - 1
            if start + length > size:
                if start > size - 1:
                    length = 0
                start = size - length
            file.seek(max(0, start))
            data = file.read(max(0, length))
            return [as_string(data), size, overflow]
    except OSError:
        return ["", offset, False]
