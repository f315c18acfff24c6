"""Makes the wheel that is given away of maturin's: finish.py WHEEL EXECUTABLES TARGET-DIRECTORY, prints its path.

The executables are replaced by the finished ones, and RECORD says so. Names in order, one time, one system of file modes:
the same contents are the same bytes."""

import base64
import csv
import hashlib
import io
import os
import sys
import time
import zipfile
from pathlib import Path


def files(wheel, executables):
    """The contents of the wheel by their names, RECORD as the last and still empty."""
    with zipfile.ZipFile(wheel) as archive:
        found = {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
    for name in found:
        if ".data/scripts/" in name:
            found[name] = (executables / Path(name).name).read_bytes()
    (record,) = [name for name in found if name.endswith(".dist-info/RECORD")]
    del found[record]
    return {name: found[name] for name in sorted(found)} | {record: b""}


def record_of(found):
    """RECORD: of each file the digest and the size, of itself neither."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    for name, data in found.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        rows.writerow([name, f"sha256={digest}", len(data)] if data or not name.endswith("/RECORD") else [name, "", ""])
    return text.getvalue().encode()


def main(wheel, executables, target):
    found = files(Path(wheel), Path(executables))
    found[list(found)[-1]] = record_of(found)
    when = time.gmtime(max(int(os.environ["SOURCE_DATE_EPOCH"]), 315532800))[:6]
    path, making = Path(target) / Path(wheel).name, Path(target) / f".{os.getpid()}.whl"
    with zipfile.ZipFile(making, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in found.items():
            entry = zipfile.ZipInfo(name, when)
            entry.create_system, entry.compress_type = 3, zipfile.ZIP_DEFLATED
            entry.external_attr = (0o100755 if ".data/scripts/" in name else 0o100644) << 16
            archive.writestr(entry, data)
    making.replace(path)
    print(path)


if __name__ == "__main__":
    main(*sys.argv[1:])
