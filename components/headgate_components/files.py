"""Files that are written whole or not at all."""

import shutil
import tempfile
from pathlib import Path


def replace_text(path: Path, text: str) -> None:
    """Writes a file, and its folders; whoever reads it meanwhile sees the old or the new text.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        part = Path(file.name)
        try:
            file.write(text)
            file.flush()
            part.chmod(0o644)  # temporary files are private
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise


def copy_file(source: Path, target: Path) -> None:
    """Copies a file; whoever reads the target meanwhile sees the old or the new one.

    Raises:
        OSError: it cannot be read or written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    try:
        shutil.copyfile(source, part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
