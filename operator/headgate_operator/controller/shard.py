"""Which part of the fleet this process works on: a label selector on ModelDeployments, for fleets beyond one process.

The API server filters the watch with it; every pass asks again, because a watch may miss that a label was removed, and because children
carry no shard: their events name an owner that may be another process's.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

Labels = Mapping[str, str]
_Requirement = Callable[[Labels], bool]

_KEY: Final = r"(?P<key>(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?/)?[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)"
_VALUE: Final = r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)?"
_EXISTENCE: Final = re.compile(rf"(?P<not>!?)\s*{_KEY}")
_EQUALITY: Final = re.compile(rf"{_KEY}\s*(?P<operator>==|=|!=)\s*(?P<value>{_VALUE})")
_MEMBERSHIP: Final = re.compile(rf"{_KEY}\s+(?P<operator>in|notin)\s*\((?P<values>{_VALUE}(?:\s*,\s*{_VALUE})*)\)")
_BETWEEN: Final = re.compile(r",(?![^()]*\))")
"""Commas that are not between parentheses."""


@dataclass(frozen=True)
class Shard:
    """The ModelDeployments that a label selector selects; an empty one selects all."""

    selector: str = ""

    def __post_init__(self) -> None:
        """ValueError, with a sentence, if the selector cannot be read."""
        _requirements(self.selector)

    def has(self, labels: Labels | None) -> bool:
        """Whether an object with these labels is in this shard, as the API server would say."""
        return all(met(labels or {}) for met in _requirements(self.selector))

    @property
    def lease_suffix(self) -> str:
        """What tells this shard's Lease from the others': the selector in letters that a name may have, such as `-headgate.dev-shard-a`."""
        said = re.sub(r"!(?==)", "-not-", self.selector).replace("!", "not-")
        words = re.sub(r"[^a-z0-9.]+", "-", said.lower()).strip("-.")
        return f"-{words}"[:200].rstrip("-.") if words else ""


def _requirements(selector: str) -> list[_Requirement]:
    return [_requirement(part.strip()) for part in _BETWEEN.split(selector)] if selector.strip() else []


def _requirement(text: str) -> _Requirement:
    if found := _EQUALITY.fullmatch(text):
        return _one_of(found["key"], {found["value"]}, among=found["operator"] != "!=")
    if found := _MEMBERSHIP.fullmatch(text):
        return _one_of(found["key"], {value.strip() for value in found["values"].split(",")}, among=found["operator"] == "in")
    if found := _EXISTENCE.fullmatch(text):
        key, wanted = found["key"], not found["not"]
        return lambda labels: (key in labels) == wanted
    raise ValueError(f"{text!r} is no label selector: write key=value, key!=value, key in (a,b), key notin (a,b), key or !key")


def _one_of(key: str, values: set[str], *, among: bool) -> _Requirement:
    """Kubernetes counts an object without the label as not among the values."""
    return lambda labels: (labels.get(key) in values) == among
