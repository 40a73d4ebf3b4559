"""The start of a candidate: pinned once, so that nothing later, not even an upgrade of the operator, changes what is rolled out."""

from dataclasses import replace

from headgate_operator.api.reasons import Reason
from headgate_operator.api.status import Candidate, HistoryEntry, ParityResult
from headgate_operator.rollout.drain import drain
from headgate_operator.rollout.fleet import must_wait_to_start
from headgate_operator.rollout.replicas import stable_min
from headgate_operator.rollout.turn import Turn, Wait, rejected_ids
from headgate_operator.rollout.weights import leaving


def start_candidate(turn: Turn) -> Turn:
    """Start the revision the manifest asks for, if it is neither stable nor refused and nothing is in its way."""
    if turn.status.candidate is not None or turn.status.previous is not None or turn.blocked or not turn.requested:
        return turn
    if turn.spec.paused:
        message = f"the manifest says paused: true; {turn.wanted.id} starts when it no longer does"
        return replace(turn, wait=Wait(reason=Reason.PAUSED, message=message))
    if turn.wanted.problem is not None:
        reason, message = turn.wanted.problem
        if reason is Reason.RESOLVING_ALIAS:
            return replace(turn, wait=Wait(reason=reason, message=message))
        return replace(turn, blocked=Wait(reason=reason, message=message))
    if (wait := must_wait_to_start(turn)) is not None:
        return replace(turn, wait=wait)
    if leavers := [version.id for version in leaving(turn.status)]:
        message = f"{turn.wanted.id} starts when {', '.join(leavers)} has left the route"
        return replace(turn, wait=Wait(reason=Reason.WAITING_FOR_SLOT, message=message))
    return _start(turn, _pinned(turn))


def earlier_revision(turn: Turn) -> HistoryEntry | None:
    """Return the revision that was stable before the present one, if it is still pinned."""
    stable = turn.status.stable
    refused = rejected_ids(turn.status)
    return next((entry for entry in turn.status.history if stable is None or entry.id not in (stable.id, *refused)), None)


def start_return(turn: Turn, entry: HistoryEntry) -> Turn:
    """Start an earlier revision to take over from the stable one, which is refused when that is done.

    A candidate under way is withdrawn, not refused. Parity is not asked again: the manifest's golden set belongs to another model.
    """
    stable = turn.status.stable
    assert stable is not None
    if turn.status.candidate is not None:
        withdrawn = turn.candidate
        turn = drain(turn, withdrawn).with_status(candidate=None)
        turn = turn.note(Reason.SUPERSEDED, f"{entry.id} replaced the candidate {withdrawn.id}", revision=withdrawn.id)
    return _start(turn, _known(turn, entry).model_copy(update={"return_from": stable.id, "parity": ParityResult.SKIPPED}))


def _start(turn: Turn, candidate: Candidate) -> Turn:
    # It may come back while it still drains: then it keeps its slot and is no longer on its way out.
    leaver = next((version for version in turn.status.draining if version.isvc == candidate.isvc), None)
    candidate = candidate.model_copy(update={"slot": leaver.slot if leaver else None})
    turn = turn.with_status(
        candidate=candidate, analysis=None, draining=[version for version in turn.status.draining if version is not leaver]
    )
    turn = _freeze_stable(turn)
    if candidate.known_good:
        message = f"{candidate.id} ({candidate.version}) was promoted before; it takes over without a canary"
        return turn.note(Reason.KNOWN_GOOD, message, revision=candidate.id)
    return turn.note(Reason.CANDIDATE_STARTED, f"{candidate.id} ({candidate.version}) is being started", revision=candidate.id)


def _pinned(turn: Turn) -> Candidate:
    known = next((entry for entry in turn.status.history if entry.id == turn.wanted.id), None)
    if known is not None:
        return _known(turn, known)
    wanted = turn.wanted
    assert wanted.rendered is not None
    return Candidate(
        id=wanted.id, model_uri=wanted.model_uri, version=wanted.version, isvc=wanted.isvc, inputs=dict(wanted.inputs),
        rendered=wanted.rendered, started_at=turn.now,
    )  # fmt: skip


def _known(turn: Turn, entry: HistoryEntry) -> Candidate:
    return Candidate(
        id=entry.id, model_uri=entry.model_uri, version=entry.version, isvc=entry.isvc, inputs=dict(entry.inputs),
        rendered=entry.rendered, started_at=turn.now, known_good=True,
    )  # fmt: skip


def _freeze_stable(turn: Turn) -> Turn:
    """Hold stable's present replicas: its autoscaler would shrink it as traffic leaves, and a rollback would find half of it."""
    stable = turn.status.stable
    if stable is None:
        return turn
    service = turn.service(stable.isvc)
    present = service.available_replicas if service is not None else 0
    return turn.with_status(stable=stable.model_copy(update={"frozen_min": stable_min(turn.spec, max(present, stable.frozen_min or 0))}))


def release_capacity(turn: Turn) -> Turn:
    """Let stable scale freely again when nothing is on trial, waits to be or still drains.

    Not with the decision that gives it its traffic back: its autoscaler has seen only a part of that, and would take away the replicas
    that are needed at once.
    """
    status = turn.status
    if status.stable is None or status.stable.frozen_min is None:
        return turn
    if status.candidate is not None or status.previous is not None or status.draining or turn.requested:
        return turn
    return turn.with_status(stable=status.stable.model_copy(update={"frozen_min": None}))
