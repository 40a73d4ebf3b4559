"""The same wheel from the same commit, wherever it is built: `make wheel` builds it twice, in two places, and compares.

What is not in git is not built: both builds start from `git archive`. The packages that build it are pinned in pyproject.toml.
"""

import hashlib
import os
import subprocess
import sys
import tarfile
import zipfile
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

PACKAGES: Final = ("components", "pipelines", "operator", "serving", "monitor", "devcluster")
_SECONDS: Final = 300


def build(uv: str, folder: Path, commit: str) -> Path:
    """Build the wheel of a commit in an empty folder; return its path."""
    source, out = folder / "source", folder / "out"
    archive = subprocess.run(["git", "archive", commit], capture_output=True, check=True).stdout
    with tarfile.open(fileobj=BytesIO(archive)) as files:
        files.extractall(source, filter="data")
    moment = _git("show", "--no-patch", "--format=%ct", commit).strip()
    command = [uv, "build", "--quiet", "--wheel", "--out-dir", str(out), str(source)]
    subprocess.run(command, check=True, timeout=_SECONDS, env=os.environ | {"SOURCE_DATE_EPOCH": moment})
    (wheel,) = out.glob("*.whl")
    return wheel


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def absent(wheel: Path, commit: str) -> list[str]:
    """Return the files of the packages that are in git and not in the wheel: code, templates, data."""
    wanted = [path.partition("/")[2] for path in _git("ls-tree", "-r", "--name-only", commit, *PACKAGES).splitlines()]
    with zipfile.ZipFile(wheel) as files:
        there = set(files.namelist())
    return [path for path in wanted if path.startswith("headgate_") and path not in there]


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True).stdout


def main(uv: str) -> int:
    """Build twice, compare, and keep one in dist/."""
    with TemporaryDirectory(prefix="wheel-a-") as first, TemporaryDirectory(prefix="another-place-") as second:
        os.umask(0o022)
        one = build(uv, Path(first), "HEAD")
        os.umask(0o077)
        other = build(uv, Path(second), "HEAD")
        if digest(one) != digest(other):
            sys.stderr.write(f"headgate: error: two builds differ: {digest(one)} and {digest(other)}\n")
            return 1
        if lost := absent(one, "HEAD"):
            sys.stderr.write(f"headgate: error: the wheel lacks {', '.join(lost[:5])}{' and more' if len(lost) > 5 else ''}\n")
            return 1
        kept = Path("dist") / one.name
        kept.parent.mkdir(exist_ok=True)
        kept.write_bytes(one.read_bytes())
        sys.stdout.write(f"{kept}, the same twice: sha256 {digest(kept)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
