"""The rules that a schema cannot say, each once: a check in Python, the same check in CEL, and the sentence that a person reads.

`crd.py` hangs the CEL on the schema node a rule speaks of; `violations` runs the Python checks on the same nodes of a plain object. So
`kubectl apply`, `headgate lint` and the operator refuse the same manifests with the same words. As on a real API server, a value of the
wrong type hides the rules: they need not cope with nonsense, but the Python ones with absent defaults.

Traps of CEL on an API server: every list and string in a rule's reach needs maxItems or maxLength (else the cost estimate refuses the
CRD); `self == oldSelf` catches a removed field only if the field and its parent have defaults.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from headgate_operator.api.rules import analysis, drift, pods, rollout
from headgate_operator.api.rules.rollout import MAX_HOLDBACK
from headgate_operator.api.rules.rule import Rule
from headgate_operator.api.structure import Violation, structural_violations

__all__ = ["MAX_HOLDBACK", "RULES", "Rule", "violations"]

RULES: tuple[Rule, ...] = (*pods.RULES, *rollout.RULES, *analysis.RULES, *drift.RULES)
_PLACES = dict.fromkeys(rule.at for rule in RULES)
"""Where rules look; many look at the same place."""

_Nodes = list[tuple[str, Any]]
"""Values with their paths."""


def violations(obj: Mapping[str, Any], old: Mapping[str, Any] | None = None) -> list[Violation]:
    """Return what is wrong with a ModelDeployment, as plain JSON; `old` is the stored object if this is an update.

    Unknown fields are no violation here: an API server has its own words for them, and `manifest.problems` names the allowed ones.
    """
    if structural := structural_violations(obj):
        return structural
    nodes = {at: _nodes(obj, _way(at)) for at in _PLACES}
    return [violation for rule in RULES for violation in _broken(rule, nodes[rule.at], old)]


def _broken(rule: Rule, nodes: _Nodes, old: Mapping[str, Any] | None) -> Iterator[Violation]:
    before = dict(_nodes(old, _way(rule.at))) if old is not None and rule.holds_after is not None else {}
    for path, node in nodes:
        holds = rule.holds is None or rule.holds(node)
        if rule.holds_after is not None and path in before:
            holds = holds and rule.holds_after(node, before[path])
        if not holds:
            yield Violation(".".join(filter(None, (path, rule.shown_at))), rule.sentence)


@cache
def _way(at: str) -> tuple[tuple[str, bool], ...]:
    """Return the keys that lead to a rule's path, each with whether every item of a list is meant."""
    return tuple((part.removesuffix("[]"), part.endswith("[]")) for part in filter(None, at.split(".")))


def _nodes(root: Any, way: tuple[tuple[str, bool], ...]) -> _Nodes:
    """Return (path, value) of every present node at the end of that way."""
    nodes = [("", root)]
    for key, is_list in way:
        nodes = [
            (f"{path}.{key}".lstrip("."), node[key]) for path, node in nodes if isinstance(node, Mapping) and node.get(key) is not None
        ]
        if is_list:
            nodes = [(f"{path}[{index}]", item) for path, node in nodes for index, item in enumerate(node)]
    return nodes
