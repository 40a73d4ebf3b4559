"""What comes from upstream of the headgate, where models are made: the registry's answers, and the runs of the retraining pipeline."""

from dataclasses import dataclass

from headgate_operator.api.status import RegistryMark, RunState


@dataclass(frozen=True, kw_only=True)
class RegistryReport:
    """What an alias points to, or why that is not known."""

    tracking_uri: str
    name: str
    alias: str
    version: str = ""
    uri: str = ""
    error: str | None = None
    """Set when the registry could not be asked or answered nonsense: then nothing above but the question is known."""


@dataclass(frozen=True, kw_only=True)
class RegistryWrite:
    """Something to write into the registry. Equal writes are the same: it is never under way twice."""

    tracking_uri: str
    name: str
    version: str
    alias: str | None = None
    """The alias to point at the version."""
    tags: tuple[tuple[str, str], ...] = ()
    """Tags to set on the version, in this order."""


@dataclass(frozen=True, kw_only=True)
class RegistryAnswer:
    """What became of a write."""

    write: RegistryWrite
    error: str | None = None


@dataclass(frozen=True, kw_only=True)
class RegistryWish:
    """A mark that the registry should bear, and how it is written."""

    mark: RegistryMark
    write: RegistryWrite


@dataclass(frozen=True, kw_only=True)
class RunRequest:
    """A run to start, unless one of that name exists. Equal requests are the same: none is ever under way twice."""

    display_name: str
    endpoint: str
    pipeline: str
    parameters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class RunAnswer:
    """What became of a request."""

    request: RunRequest
    run_id: str | None = None
    error: str | None = None
    """Why it is not known to have started; it is asked for again, and then found if it did."""


@dataclass(frozen=True, kw_only=True)
class RunReport:
    """How a run stands, or why that is not known."""

    run_id: str
    state: RunState | None = None
    message: str = ""
