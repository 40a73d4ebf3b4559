"""One rule: a check in Python, the same check in CEL, and the sentence that a person reads."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headgate_operator.api.cel import matches


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule about one node of the object."""

    at: str
    """Path of the node; `[]` stands for every item of a list. The empty path is the whole object."""
    sentence: str
    cel: str
    """True if the rule holds; `self` is the node, `oldSelf` (transition rules) the node before the change."""
    holds: Callable[[Any], bool] | None = None
    holds_after: Callable[[Any, Any], bool] | None = None
    """For transition rules, which are checked on updates only: (node, node before the change)."""
    shown_at: str = ""
    """Field below the node that a message points to."""


def above_zero(at: str) -> Rule:
    """Return the rule that a duration is not zero."""
    return Rule(
        at=at,
        sentence=f"{at.rpartition('.')[2]} must be longer than 0s",
        cel=matches("[1-9]"),
        holds=lambda text: re.search("[1-9]", text) is not None,
    )


def names_differ(at: str) -> Rule:
    """Return the rule that the items of a list have different names."""
    return Rule(
        at=at,
        sentence=f"{at.rpartition('.')[2]} must have different names",
        cel="self.all(m, self.exists_one(n, n.name == m.name))",
        holds=_unique_names,
    )


def one_of(at: str, first: str, second: str) -> Rule:
    """Return the rule that exactly one of two fields is set."""
    return Rule(
        at=at,
        sentence=f"{at.rpartition('.')[2].removesuffix('[]')} needs either {first} or {second}, and not both",
        cel=f"has(self.{first}) != has(self.{second})",
        holds=lambda node: (node.get(first) is None) != (node.get(second) is None),
    )


def _unique_names(items: Sequence[Mapping[str, Any]]) -> bool:
    names = [item["name"] for item in items]
    return len(set(names)) == len(names)
