"""One pass under way: the observation, and what the rules have made of it so far.

Every rule is a function `Turn -> Turn`. A turn is never changed in place, so a rule sees exactly what the rules before it decided.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Self

from headgate_operator.api.model import changed
from headgate_operator.api.reasons import Reason
from headgate_operator.api.spec import ModelDeploymentSpec
from headgate_operator.api.status import Candidate, ModelDeploymentStatus
from headgate_operator.rollout.analysis import Analysis
from headgate_operator.rollout.decision import Note
from headgate_operator.rollout.observed import HookCall, Observed, Service, Wanted

_MAX_MESSAGE: Final = 1024


@dataclass(frozen=True, kw_only=True)
class Wait:
    """Why the rollout does not go on in this pass."""

    reason: Reason
    message: str
    hold: bool = False
    """Whether this counts towards holdTimeout. Waiting for a step's duration or for a first start does not."""
    asks: HookCall | None = None
    """The hook that is to be asked meanwhile."""


@dataclass(frozen=True, kw_only=True)
class Turn:
    """The pass so far."""

    observed: Observed
    wanted: Wanted
    """What the manifest asks for, under the id by which it is already known."""
    status: ModelDeploymentStatus
    notes: tuple[Note, ...] = ()
    command_done: bool = False
    analysis: Analysis | None = None
    """What the metrics said in this pass; None if they were not read or nothing is compared."""
    wait: Wait | None = None
    blocked: Wait | None = None
    """Why nothing may start or advance until a person acts, whatever the candidate does."""

    @property
    def now(self) -> datetime:
        """The present in whole seconds, as status keeps it: what is read back must equal what was decided."""
        return self.observed.now.replace(microsecond=0)

    @property
    def next_second(self) -> datetime:
        """The present rounded up: what begins now must not count as begun earlier, or a step would end before its time."""
        return self.now if self.now == self.observed.now else self.now + timedelta(seconds=1)

    @property
    def spec(self) -> ModelDeploymentSpec:
        """The manifest."""
        return self.observed.spec

    @property
    def candidate(self) -> Candidate:
        """The candidate; only for rules that have made sure that there is one."""
        assert self.status.candidate is not None
        return self.status.candidate

    @property
    def requested(self) -> bool:
        """Whether the manifest asks for a revision that is neither stable nor refused: then a candidate is wanted."""
        stable = self.status.stable
        return self.wanted.id not in rejected_ids(self.status) and (stable is None or self.wanted.id != stable.id)

    def service(self, isvc: str) -> Service | None:
        """Our InferenceService of that name, if it exists."""
        service = self.observed.services.get(isvc)
        return service if service is not None and service.ours else None

    def serving(self, isvc: str) -> bool:
        """Whether that version can answer requests now."""
        service = self.service(isvc)
        return service is not None and service.still_serving

    def with_status(self, **changes: Any) -> Self:
        """Change status fields; without a change it is the same turn."""
        status = changed(self.status, **changes)
        return self if status is self.status else replace(self, status=status)

    def with_candidate(self, **changes: Any) -> Self:
        """Change fields of the candidate."""
        candidate = changed(self.candidate, **changes)
        return self if candidate is self.candidate else self.with_status(candidate=candidate)

    def note(self, reason: Reason, message: str, *, revision: str | None = None, warning: bool = False) -> Self:
        """Tell people, once: call it on transitions only."""
        note = Note(reason=reason, message=clip(message), revision=revision, warning=warning)
        return replace(self, notes=(*self.notes, note))


def rejected_ids(status: ModelDeploymentStatus) -> tuple[str, ...]:
    """Ids of refused revisions, newest first."""
    return tuple(entry.id for entry in status.rejected)


def clip(text: str) -> str:
    """Shorten a message of foreign origin to what a condition may hold."""
    return text if len(text) <= _MAX_MESSAGE else text[: _MAX_MESSAGE - 1] + "…"
