"""The folder that keeps a reference, and what makes it refused: a changed byte, another format, another shape, another detector library.

Two files: `reference.npz` (numbers, no pickle: loading one runs nothing) and `schema.json` (everything a person may read). A third,
`predictions.npz`, is there if the model's predictions were fitted, too; whoever knows nothing of it reads the other two as ever. The hashes
find damage and careless edits; whoever can write the folder could also write new hashes, so the digest of the schema is told with every
verdict.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from headgate_monitor.detectors.alibi import VERSION
from headgate_monitor.detectors.columns import Values
from headgate_monitor.detectors.errors import DriftError

FORMAT: Final = 2
ROWS: Final = "reference.npz"
PREDICTIONS: Final = "predictions.npz"
SCHEMA: Final = "schema.json"
LARGEST_SCHEMA: Final = 20_000_000  # bytes
LARGEST_ROWS: Final = 200_000_000  # bytes, packed and unpacked
_AGAIN: Final = "fit the reference again"
_MEMBER: Final = "matrix.npy"


def write_artifact(folder: Path, schema: Mapping[str, Any], matrix: Values, predictions: Values | None = None) -> None:
    """Write all files; the same content gives the same bytes.

    Args:
        folder: Where they go.
        schema: What a person may read; with predictions its `predictions` describe them.
        matrix: The rows.
        predictions: One column, shape (rows, 1); None: there are none.

    Raises:
        DriftError: the folder cannot be written.
    """
    contents = {ROWS: _packed(matrix)} | ({} if predictions is None else {PREDICTIONS: _packed(predictions)})
    sealed = {**schema, "format": FORMAT, "storedRows": len(matrix)}
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()} | {SCHEMA: _digest(sealed)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / PREDICTIONS).unlink(missing_ok=True)
        for name, content in contents.items():
            (folder / name).write_bytes(content)
        (folder / SCHEMA).write_text(json.dumps({**sealed, "sha256": hashes}, indent=1, allow_nan=False))
    except OSError as error:
        raise DriftError(f"cannot write the drift reference to {folder}: {error.strerror}") from error


def read_artifact(folder: Path) -> tuple[dict[str, Any], Values, Values | None]:
    """The schema, the rows and the predictions (None if there are none) in a folder, as they were written.

    Raises:
        DriftError: a file is missing, too large, or changed since it was written; or it is of another format, shape or library version.
    """
    schema = _schema(folder)
    content = _unchanged(folder / ROWS, schema)
    fitted = schema["libraries"]["alibi-detect"]
    if fitted != VERSION:
        raise DriftError(f"{folder / SCHEMA} was fitted with alibi-detect {fitted}, this monitor has {VERSION}; {_AGAIN}")
    matrix = _matrix(folder / ROWS, content, (schema["storedRows"], len(schema["features"])))
    described = schema.get("predictions")
    if described is None:
        return schema, matrix, None
    return schema, matrix, _matrix(folder / PREDICTIONS, _unchanged(folder / PREDICTIONS, schema), (described["storedRows"], 1))


def _packed(array: Values) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, matrix=array)
    return buffer.getvalue()


def _unchanged(path: Path, schema: Mapping[str, Any]) -> bytes:
    content = _bytes(path, LARGEST_ROWS)
    if hashlib.sha256(content).hexdigest() != schema["sha256"][path.name]:
        raise DriftError(f"{path} was changed after it was written; {_AGAIN}")
    return content


def _schema(folder: Path) -> dict[str, Any]:
    path = folder / SCHEMA
    try:
        schema = json.loads(_bytes(path, LARGEST_SCHEMA))
    except ValueError as error:
        if isinstance(error, DriftError):
            raise
        raise DriftError(f"{path} is not valid JSON: {error}") from error
    if not isinstance(schema, dict) or schema.get("format") != FORMAT:
        raise DriftError(f"{path} is not of format {FORMAT}; {_AGAIN} with this version of Headgate")
    if schema["sha256"][SCHEMA] != _digest({name: value for name, value in schema.items() if name != "sha256"}):
        raise DriftError(f"{path} was changed after it was written; {_AGAIN}")
    return schema


def _bytes(path: Path, largest: int) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(largest + 1)
    except OSError as error:
        raise DriftError(f"the drift reference {path.parent} lacks a readable {path.name}: {error.strerror}") from error
    if len(content) > largest:
        raise DriftError(f"{path} is larger than {largest / 1e6:g} MB; {_AGAIN} with fewer rows")
    return content


def _matrix(path: Path, content: bytes, shape: tuple[int, int]) -> Values:
    """Unpack the rows; what the file says of itself is checked first, so that no small file becomes a huge array."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
            if archive.namelist() != [_MEMBER] or unpacked > LARGEST_ROWS:
                raise DriftError(f"{path} holds {', '.join(archive.namelist())} of {unpacked} bytes, not one array; {_AGAIN}")
            matrix = np.lib.format.read_array(io.BytesIO(archive.read(_MEMBER)), allow_pickle=False)
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        if isinstance(error, DriftError):
            raise
        raise DriftError(f"{path} is no file of numbers: {error}") from error
    if matrix.shape != shape:
        raise DriftError(f"{path} has the shape {matrix.shape}, {SCHEMA} describes {shape}; {_AGAIN}")
    if matrix.dtype != np.float64 or np.isinf(matrix).any():
        raise DriftError(f"{path} holds other values than finite numbers; {_AGAIN}")
    return np.asarray(matrix)


def _digest(schema: Mapping[str, Any]) -> str:
    """Of the content, whatever its layout."""
    return hashlib.sha256(json.dumps(schema, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
