"""What a model registry says about a version and the run that made it, whichever way it is read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol


class RegistryReadError(Exception):
    """The registry has no usable answer; the message says why in one sentence."""


@dataclass(frozen=True, kw_only=True)
class VersionRecord:
    """A version of a registered model."""

    name: str
    version: str
    created: datetime | None
    run_id: str
    aliases: tuple[str, ...]
    tags: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """The run that registered it."""

    run_id: str
    status: str
    ended: datetime | None
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str] = field(repr=False)


class RegistryReader(Protocol):
    """A registry that can be read. All methods raise RegistryReadError."""

    async def number_of(self, name: str, alias: str | None) -> str:
        """Return the version that an alias names, or without one the newest version."""
        ...

    async def version(self, name: str, number: str) -> VersionRecord:
        """Return a version."""
        ...

    async def run(self, run_id: str) -> RunRecord:
        """Return a run."""
        ...

    async def close(self) -> None:
        """Release connections."""
        ...


def moment(milliseconds: object) -> datetime | None:
    """Return the moment that MLflow gives as milliseconds since 1970, as a number or as text; None if there is none."""
    try:
        return datetime.fromtimestamp(int(str(milliseconds)) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
