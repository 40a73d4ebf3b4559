"""Whether stored manifests keep the rules: an API server with our CRD refuses those that do not; one with an older or edited CRD may not.

A manifest is checked once a generation, for its spec cannot change within one, and fifty rules are a tenth of a look.
"""

from typing import NamedTuple

from headgate_operator.api.reasons import Reason
from headgate_operator.api.rules import violations
from headgate_operator.kube.protocol import Object

Key = tuple[str, str]
Problem = tuple[Reason, str]

_LONGEST = 1000


class _Checked(NamedTuple):
    uid: str
    generation: int
    problem: Problem | None


class RuleCheck:
    """Remembers the last verdict on each object."""

    def __init__(self) -> None:
        self._checked: dict[Key, _Checked] = {}

    def problem(self, obj: Object) -> Problem | None:
        """Return every rule that a stored ModelDeployment breaks, in one sentence each; None if it keeps all."""
        metadata = obj["metadata"]
        key, uid, generation = (metadata["namespace"], metadata["name"]), metadata["uid"], metadata.get("generation", 0)
        known = self._checked.get(key)
        if known is None or (known.uid, known.generation) != (uid, generation):
            known = self._checked[key] = _Checked(uid, generation, _broken_rules(obj))
        return known.problem

    def forget(self, key: Key) -> None:
        """Drop the verdict on an object that is gone."""
        self._checked.pop(key, None)


def _broken_rules(obj: Object) -> Problem | None:
    found = violations(obj)
    return (Reason.INVALID_SPEC, "; ".join(map(str, found))[:_LONGEST]) if found else None
