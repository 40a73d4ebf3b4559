"""What a server process can be told: one frozen value, read once at the start."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from headgate_serving.model.ranges import RangePolicy

PRIOR = "prior"
"""The fallback that the export itself records."""


class ParityPolicy(StrEnum):
    """What to do with a model that predicts otherwise than its golden set."""

    REFUSE = "refuse"
    """Do not start."""

    REPORT = "report"
    """Say so in the log and in a metric: for servers that a rollout asks before any traffic."""

    OFF = "off"


@dataclass(frozen=True, kw_only=True)
class Options:
    """One served model; times in seconds."""

    model_name: str
    model_dir: Path
    host: str = "127.0.0.1"
    http_port: int = 0
    grpc_port: int | None = None
    parity: ParityPolicy = ParityPolicy.REFUSE
    range_guard: RangePolicy = RangePolicy.OFF
    batch_rows: int = 256
    batch_delay: float = 0.0
    cache_ttl: float = 0.0
    cache_entries: int = 10_000
    fallback: str | float | None = None
    time_budget: float | None = None
    max_concurrency: int = 256
    max_rows: int = 10_000
    max_body: int = 16 * 2**20
