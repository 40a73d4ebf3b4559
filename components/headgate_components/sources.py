"""Where data come from: paths and URIs, opened by one set of rules."""

from pathlib import Path

import pyarrow as pa
from pyarrow import fs

from headgate_components import tables
from headgate_components.step import StepError

SCHEMES = ("file", "s3", "gs", "hdfs")


def locate(source: str) -> tuple[fs.FileSystem, str]:
    """The file system of a path or URI, and the path in it.

    Raises:
        StepError: another scheme, or a file system that cannot be reached.
    """
    scheme, separator, _ = source.partition("://")
    if not separator:
        return fs.LocalFileSystem(), str(Path(source).absolute())
    if scheme not in SCHEMES:
        allowed = ", ".join(f"{name}://" for name in SCHEMES)
        raise StepError(f"the data file '{source}' has an unknown scheme; allowed are a path, {allowed}")
    try:
        filesystem, path = fs.FileSystem.from_uri(source)
    except (pa.ArrowException, OSError) as error:
        raise StepError(f"the data file '{source}' cannot be reached: {tables.first_line(error)}") from error
    return filesystem, path
