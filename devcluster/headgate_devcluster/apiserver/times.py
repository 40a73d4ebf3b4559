"""The two kinds of times in the API. `Time` is lenient; `MicroTime` (Events, Leases) wants exactly six digits after the second.

The trap it stands for: Python's `isoformat()` drops the fraction when it is zero, once in a million writes, and the server refuses.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from headgate_devcluster.apiserver.errors import undecodable
from headgate_devcluster.apiserver.objects import Object
from headgate_devcluster.apiserver.resources import ResourceType
from headgate_devcluster.apiserver.validation import is_date_time

_MICRO_LAYOUT: Final = "2006-01-02T15:04:05.000000Z07:00"
_MICRO: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d)")
_TIME_LAYOUT: Final = "2006-01-02T15:04:05Z07:00"

_MICRO_FIELDS: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "Event": (("eventTime",), ("series", "lastObservedTime")),
    "Lease": (("spec", "acquireTime"), ("spec", "renewTime")),
}
_TIME_FIELDS: Final = (("metadata", "creationTimestamp"), ("metadata", "deletionTimestamp"))


def require_readable_times(obj: Object, resource: ResourceType) -> None:
    """Refuse with 400 a time that the server could not decode."""
    for path in () if resource.custom else _MICRO_FIELDS.get(resource.kind, ()):
        for value in _at(obj, path):
            if not _MICRO.fullmatch(value) or not is_date_time(value):
                raise undecodable(resource, f'parsing time "{value}" as "{_MICRO_LAYOUT}": cannot parse "{_rest(value)}" as ".000000"')
    for path in _TIME_FIELDS:
        for value in _at(obj, path):
            if not is_date_time(value):
                raise undecodable(resource, f'parsing time "{value}" as "{_TIME_LAYOUT}": cannot parse "{value}" as "2006"')


def _at(obj: Any, path: tuple[str, ...]) -> Iterator[str]:
    for name in path:
        obj = obj.get(name) if isinstance(obj, dict) else None
    if obj is not None:
        yield str(obj)


def _rest(value: str) -> str:
    """Return what stands where the fraction should."""
    return value[19:] if len(value) >= 19 else value
