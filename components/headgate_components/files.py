"""Files between steps: written whole or not at all, and what is read of one that holds something else."""

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any, NoReturn

from headgate_components.step import StepError


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


def read_object(path: Path, what: str) -> dict[str, Any]:
    """The JSON object that a step before wrote.

    Raises:
        StepError: it is something else, or holds a number that JSON has not.
        OSError: it cannot be read.
    """
    try:
        found = json.loads(path.read_bytes(), parse_constant=_refuse)
    except ValueError as error:
        raise StepError(f"the {what} '{path}' cannot be read as JSON: {error}") from error
    if not isinstance(found, dict):
        raise StepError(f"the {what} '{path}' must hold a JSON object")
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")


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
