"""Points in time as an API server takes them: RFC 3339, UTC."""

from datetime import datetime
from typing import Annotated

from pydantic import PlainSerializer


def _rfc3339(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _rfc3339_micro(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")  # isoformat() drops zero microseconds, which API servers refuse


Timestamp = Annotated[datetime, PlainSerializer(_rfc3339, return_type=str)]
MicroTimestamp = Annotated[datetime, PlainSerializer(_rfc3339_micro, return_type=str)]
