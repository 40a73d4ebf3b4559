"""Flights as live traffic: the requests a client would have sent, in the order it would have sent them, and their later answers."""

from dataclasses import dataclass

import pandas as pd

from headgate_pipelines.flights.periods import months
from headgate_pipelines.flights.table import FEATURES, ID, LABEL, TIME

Value = str | float | None


@dataclass(frozen=True)
class FlightRequest:
    """One prediction asked for 60 minutes before a scheduled departure."""

    id: str
    asked_at: pd.Timestamp
    features: dict[str, Value]
    """The 18 raw features by name; None is missing."""
    late: bool | None
    """What was known only afterwards: whether it arrived late; None for cancelled and diverted flights, which never get a label."""


def requests(table: pd.DataFrame, first_month: int = 7, last_month: int | None = None) -> list[FlightRequest]:
    """The requests of these months in time order, cancelled and diverted flights included.

    Args:
        table: what `headgate_pipelines.flights.load` returned.
        first_month: 1 to 12.
        last_month: the last month included; the first alone if not given.
    """
    period = months(first_month, first_month if last_month is None else last_month)
    rows = table[(table[TIME] >= period.start) & (table[TIME] < period.end)]
    features = _with_none(rows[list(FEATURES)]).to_dict("records")
    labels = [None if late is None else bool(late) for late in _with_none(rows[[LABEL]])[LABEL]]
    return [FlightRequest(*row) for row in zip(rows[ID], rows[TIME], features, labels, strict=True)]


def _with_none(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.astype(object).where(frame.notna(), None)
