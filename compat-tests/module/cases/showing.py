"""What the cases print: results and exceptions, without what differs between two runs."""

import re


def text(value):
    """A value as text. Classes by their name; addresses of objects and modules of classes left out."""
    if isinstance(value, type):
        return value.__name__
    shown = re.sub(r" at (0x)?[0-9a-f]{6,}", " at <ADDRESS>", repr(value))
    return re.sub(r"\bsupervisor\.[\w.]+\.(\w+)", r"\1", shown)


def show(label, function, *args, **more):
    """Prints what a call returns or raises, and returns the result."""
    try:
        result = function(*args, **more)
    except SystemExit as error:
        print(label, "exits", error.code)
    except Exception as error:
        print(label, "raises", type(error).__name__, text(str(error)))
    else:
        print(label, "->", text(result))
        return result
