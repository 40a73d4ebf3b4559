"""What a check says, and what to do about it."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How it stands. Missing evidence is `unknown`, and never ok."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Finding:
    """One line of the checklist."""

    level: Level
    message: str
    remedy: str = ""
    """What to do; always there unless it is ok."""


def ok(message: str) -> Finding:
    """As it should be."""
    return Finding(Level.OK, message)


def warning(message: str, remedy: str) -> Finding:
    """It works, but not as well as it could, or not for long."""
    return Finding(Level.WARNING, message, remedy)


def failed(message: str, remedy: str) -> Finding:
    """It does not work."""
    return Finding(Level.FAILED, message, remedy)


def unknown(message: str, remedy: str) -> Finding:
    """It could not be found out."""
    return Finding(Level.UNKNOWN, message, remedy)
