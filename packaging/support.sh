# What packaging/build and the builds of the kinds share; sourced, not run.

set -euo pipefail

# Run by itself, a build of a kind has what packaging/build would have given it.
REPO=${REPO:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)}
DIST=$(realpath -m -- "${DIST:-$REPO/dist}")
CARGO_TARGET_DIR=$(realpath -m -- "${CARGO_TARGET_DIR:-$REPO/target}")
# Below it: `bin`, the four finished executables; `wheel`, as maturin leaves it; `venv`, the tools that Python brings.
WORK=$CARGO_TARGET_DIR/packaging
BINARIES=${BINARIES:-$WORK/bin}
# The one place of the version is Cargo.toml.
VERSION=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$REPO/Cargo.toml" | head -n 1)
# Whatever carries a time carries that of the last commit.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$REPO" log -1 --format=%ct 2>/dev/null || echo 315532800)}
export REPO DIST CARGO_TARGET_DIR WORK BINARIES VERSION SOURCE_DATE_EPOCH
export LC_ALL=C.UTF-8 TZ=UTC
umask 022

die() {
    echo "packaging/build: $*" >&2
    exit 1
}

# need COMMAND=PACKAGE...: installs the Debian packages of the commands that are missing, or says which they are.
need() {
    local each missing=()
    for each; do
        command -v "${each%%=*}" >/dev/null || missing+=("${each#*=}")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get -q update >&2 && DEBIAN_FRONTEND=noninteractive apt-get -qy install --no-install-recommends "${missing[@]}" >&2
    else
        die "please install: ${missing[*]}"
    fi
}
