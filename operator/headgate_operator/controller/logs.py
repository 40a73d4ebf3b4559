"""Log lines for people (text) or machines (JSON), each with the object it is about."""

import json
import logging
import sys
from collections.abc import MutableMapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any


class LogFormat(StrEnum):
    """How log lines look."""

    TEXT = "text"
    JSON = "json"


class ObjectLog(logging.LoggerAdapter[logging.Logger]):
    """A logger that names the ModelDeployment a line is about."""

    def __init__(self, logger: logging.Logger, namespace: str, name: str) -> None:
        super().__init__(logger, {"object": {"namespace": namespace, "name": name}})

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """Keep both the adapter's fields and those of the line."""
        kwargs["extra"] = {**(self.extra or {}), **(kwargs.get("extra") or {})}
        return msg, kwargs


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        for key in ("object", "reason", "revision"):
            if hasattr(record, key):
                line[key] = getattr(record, key)
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class _TextFormatter(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        about = getattr(record, "object", None)
        text = super().format(record)
        return f"{text}  [{about['namespace']}/{about['name']}]" if isinstance(about, dict) else text


def configure(log_format: LogFormat, *, verbose: bool) -> None:
    """Send everything to stderr. kopf's per-object chatter stays below a warning unless `verbose`."""
    output = logging.StreamHandler(sys.stderr)
    output.setFormatter(_JsonFormatter() if log_format is LogFormat.JSON else _TextFormatter())
    root = logging.getLogger()
    root.handlers[:] = [output]
    root.setLevel(logging.DEBUG if verbose else logging.INFO)
    for noisy in ("kopf", "kopf.objects", "aiohttp.access", "asyncio", "urllib3"):
        logging.getLogger(noisy).setLevel(logging.INFO if verbose else logging.WARNING)
