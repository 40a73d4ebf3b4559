"""Log lines for people (text) or machines (JSON), each with the object it is about and the pass it belongs to.

Both come from the context, not from the caller: a line that some layer far below writes during a pass, or a task that the pass started, has
them too.
"""

import json
import logging
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple


class LogFormat(StrEnum):
    """How log lines look."""

    TEXT = "text"
    JSON = "json"


class _Pass(NamedTuple):
    namespace: str
    name: str
    id: str


_present: ContextVar[_Pass | None] = ContextVar("pass", default=None)
_FIELDS: Final = ("reason", "revision")
"""Further fields that a line may have by `extra`."""


@contextmanager
def one_pass(namespace: str, name: str) -> Iterator[None]:
    """Give all lines written within the ModelDeployment that they are about, and an id that tells this pass from others."""
    token = _present.set(_Pass(namespace, name, uuid.uuid4().hex[:8]))
    try:
        yield
    finally:
        _present.reset(token)


def pass_id() -> str | None:
    """Return the id of the pass that this is part of; None outside of any."""
    present = _present.get()
    return None if present is None else present.id


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if (present := _present.get()) is not None:
            line |= {"object": {"namespace": present.namespace, "name": present.name}, "reconcile": present.id}
        line |= {key: getattr(record, key) for key in _FIELDS if hasattr(record, key)}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class _TextFormatter(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        present, text = _present.get(), super().format(record)
        return text if present is None else f"{text}  [{present.namespace}/{present.name}]"


def configure(log_format: LogFormat, *, verbose: bool) -> None:
    """Send everything to stderr. kopf's per-object chatter stays below a warning unless `verbose`."""
    output = logging.StreamHandler(sys.stderr)
    output.setFormatter(_JsonFormatter() if log_format is LogFormat.JSON else _TextFormatter())
    root = logging.getLogger()
    root.handlers[:] = [output]
    root.setLevel(logging.DEBUG if verbose else logging.INFO)
    for noisy in ("kopf", "kopf.objects", "aiohttp.access", "asyncio", "urllib3"):
        logging.getLogger(noisy).setLevel(logging.INFO if verbose else logging.WARNING)
