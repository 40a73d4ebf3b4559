"""Putting every change of traffic on record: who or what wanted it, from which evidence. `controller/audit` writes it down.

A change is told three ways, each when it is true: a decision, the gateway seen to carry it, an edit by somebody else.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from headgate_operator.api.names import FIELD_MANAGER
from headgate_operator.api.reasons import Reason
from headgate_operator.api.status import ChangeEvidence, ChangeKind, MetricStatus, ModelDeploymentStatus, TrafficChange, TrafficShare
from headgate_operator.rollout.decision import Note
from headgate_operator.rollout.readback import edited
from headgate_operator.rollout.turn import Turn
from headgate_operator.rollout.weights import Share, committed, read_traffic, recorded

MAX_CHANGES: Final = 6
"""A rollout makes two in a step; more than that a log that stands still for a while must not lose."""

UNKNOWN: Final = "unknown"
_MAX_MESSAGE: Final = 512

_Shares = Mapping[str, Share]

_BESIDES: Final = frozenset(
    {
        Reason.COMMAND_APPLIED,
        Reason.COMMAND_IGNORED,
        Reason.CANDIDATE_STARTED,
        Reason.CHILD_RESTORED,
        Reason.CHILD_ADOPTED,
        Reason.HOOK_PASSED,
        Reason.NOTIFY_FAILED,
        Reason.ALIAS_MOVED,
        Reason.REGISTRY_WRITE_FAILED,
        Reason.RETRAINING_FAILED,
        Reason.RETRAINING_STARTED,
        Reason.RETRAINING_SUCCEEDED,
        Reason.SCALED_DOWN,
    }
)
"""What may be told in the same pass and moves no traffic."""

_BY_MANIFEST: Final = frozenset(
    {Reason.SUPERSEDED, Reason.CANCELLED, Reason.WATCH_SUPERSEDED, Reason.STRATEGY_CHANGED, Reason.KNOWN_GOOD, Reason.ROLLED_BACK}
)
"""Changes that whoever wrote the manifest wanted; a rollback without a command is one of them."""


def record_changes(turn: Turn) -> Turn:
    """Add what this pass saw and decided to the changes on record."""
    new = list(_changes(turn))
    if not new:
        return turn
    kept = [*turn.status.traffic_changes, *new][-MAX_CHANGES:]
    return turn.with_status(traffic_changes=kept)


def _changes(turn: Turn) -> Iterator[TrafficChange]:
    before, after = turn.observed.status, turn.status
    number = after.traffic_changes[-1].number + 1 if after.traffic_changes else 1
    seen = _edit(turn, number) or _read_back(turn, number)
    if seen is not None:
        yield seen
        number += 1
    if committed(before) != committed(after):
        yield _decision(turn, number)


def _edit(turn: Turn, number: int) -> TrafficChange | None:
    """Somebody else changed the route; told once, however many passes it takes to put it back."""
    route = turn.observed.route
    if not edited(turn.observed.status, route):
        return None
    shares = read_traffic(route) if route is not None else {}
    known = turn.status.traffic_changes
    if known and known[-1].kind is ChangeKind.EDITED and known[-1].after == _listed(shares):
        return None
    actor = (route.edited_by if route is not None else None) or UNKNOWN
    message = "the route was deleted by somebody else" if route is None else f"the route was edited by {actor}"
    shares_then = committed(turn.observed.status), shares
    return _change(turn, number, ChangeKind.EDITED, shares_then, reason=Reason.CHILD_RESTORED, message=message, actor=actor)


def _read_back(turn: Turn, number: int) -> TrafficChange | None:
    shares = recorded(turn.observed.status), recorded(turn.status)
    if shares[0] == shares[1]:
        return None
    message = (
        "the gateway carries what was decided" if shares[1] == committed(turn.observed.status) else "the gateway carries other weights"
    )
    return _change(turn, number, ChangeKind.CARRIED, shares, reason=Reason.READY, message=message, actor=FIELD_MANAGER)


def _decision(turn: Turn, number: int) -> TrafficChange:
    before, after = turn.observed.status, turn.status
    cause = next((note for note in turn.notes if note.reason not in _BESIDES), None)
    command = _command(turn)
    return _change(
        turn,
        number,
        ChangeKind.DECIDED,
        (committed(before), committed(after)),
        reason=cause.reason if cause is not None else Reason.READY,
        message=cause.message if cause is not None else "",
        actor=_actor(turn, cause, command),
        command=command,
        evidence=[_numbers(metric) for metric in _metrics(turn)],
    )


def _change(
    turn: Turn,
    number: int,
    kind: ChangeKind,
    shares: tuple[_Shares, _Shares],
    *,
    reason: Reason,
    message: str,
    actor: str,
    command: str | None = None,
    evidence: list[ChangeEvidence] | None = None,
) -> TrafficChange:
    before, after = shares
    return TrafficChange(
        number=number, kind=kind, at=turn.now, generation=turn.observed.subject.generation, before=_listed(before), after=_listed(after),
        stable_before=_stable(turn.observed.status), stable=_stable(turn.status), reason=str(reason), message=message[:_MAX_MESSAGE],
        actor=actor, command=command, evidence=evidence or [],
    )  # fmt: skip


def _command(turn: Turn) -> str | None:
    """Return the command that this pass carried out, or the one that its move was allowed by."""
    last = turn.status.last_command
    before = turn.observed.status.candidate
    if last is None or last.result != "Applied":
        return None
    just_now = any(note.reason is Reason.COMMAND_APPLIED for note in turn.notes)
    asked_for = before is not None and (before.promote_now or before.waived is not None or before.return_from is not None)
    return last.command if just_now or asked_for else None


def _actor(turn: Turn, cause: Note | None, command: str | None) -> str:
    last = turn.status.last_command
    if command is not None and last is not None:
        return last.by or UNKNOWN
    by_manifest = cause is not None and cause.reason in _BY_MANIFEST and not cause.warning
    return (turn.observed.subject.manifest_by or UNKNOWN) if by_manifest else FIELD_MANAGER


def _metrics(turn: Turn) -> list[MetricStatus]:
    """Return what was counted: in this pass if metrics were read, else before it."""
    analysis = turn.analysis.status if turn.analysis is not None else turn.observed.status.analysis
    return analysis.metrics if analysis is not None else []


def _numbers(metric: MetricStatus) -> ChangeEvidence:
    return ChangeEvidence(
        metric=metric.name, verdict=metric.verdict, evidence=metric.evidence, bound=metric.bound, bad=metric.bad, total=metric.total,
        promotion_evidence=metric.promotion_evidence, promotion_bound=metric.promotion_bound,
    )  # fmt: skip


def _listed(shares: _Shares) -> list[TrafficShare]:
    return [TrafficShare(id=revision, weight=share.weight, mirror=share.mirror) for revision, share in sorted(shares.items())]


def _stable(status: ModelDeploymentStatus) -> str | None:
    return status.stable.id if status.stable is not None else None
