"""What cargo needs to build in an image: all that Cargo.toml names gets there."""

import tomllib

from harness import REPO


def test_targets_are_not_ignored():
    allowed = {line[1:] for line in (REPO / ".dockerignore").read_text(encoding="utf-8").splitlines() if line.startswith("!")}
    manifest = tomllib.loads((REPO / "Cargo.toml").read_text(encoding="utf-8"))
    paths = [target["path"] for kind in ("bin", "example", "test") for target in manifest.get(kind, [])]
    assert {"Cargo.toml", "Cargo.lock", "src", "packaging"} <= allowed
    assert [path for path in paths if not any(path.startswith(f"{each}/") for each in allowed)] == []
