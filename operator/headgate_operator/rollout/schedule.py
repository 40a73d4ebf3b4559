"""When to look again. Events from the API server come sooner; this is for what sends none: metrics, deadlines, pods, people."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from headgate_operator.rollout.analysis import poll_interval
from headgate_operator.rollout.drain import deletions, due_at, is_due, slot_free_at
from headgate_operator.rollout.hooks import next_ask
from headgate_operator.rollout.marks import next_mark
from headgate_operator.rollout.notify import next_telling
from headgate_operator.rollout.pauses import running_since
from headgate_operator.rollout.replicas import current_step
from headgate_operator.rollout.retrain import next_request
from headgate_operator.rollout.turn import Turn
from headgate_operator.rollout.weights import carries, judged_alone, leaving, on_trial

_SOON: Final = timedelta(seconds=1)
_PODS: Final = timedelta(seconds=15)
_PERSON: Final = timedelta(seconds=60)
_MONITOR: Final = timedelta(seconds=30)
_SHARE_OF_WAIT: Final = 10


def requeue_after(turn: Turn) -> timedelta | None:
    """Return the shortest of everything that is waited for, or None if only a change matters."""
    waits = [*_polls(turn), *(_until(turn, at) for at in _deadlines(turn) if at is not None)]
    return min(waits, default=None)


def _polls(turn: Turn) -> Iterator[timedelta]:
    status = turn.status
    if (on_trial(status) is not None or judged_alone(turn.spec, status)) and (carries(turn.observed.route, status) or _decided_now(turn)):
        yield _until_next_poll(turn)
    if status.candidate is not None:
        # The longer it already took, the longer until the next look: a tenth more. So also by a clock that was set back meanwhile.
        since = status.candidate.hold_since or status.candidate.step_started_at or status.candidate.started_at
        yield min(max(abs(turn.now - since) / _SHARE_OF_WAIT, _SOON), _PODS)
    if status.stable is not None and not carries(turn.observed.route, status):
        yield _SOON if _decided_now(turn) else _PODS
    if leaving(status) or deletions(turn) or any(is_due(turn, version) for version in status.draining):
        yield _SOON if _decided_now(turn) else _PODS
    if any(version is not None and not turn.serving(version.isvc) for version in (status.stable, status.previous)):
        yield _PODS
    if status.previous is not None and status.previous.weight == 0:
        yield _PODS
    if status.stable is not None and turn.spec.observes_payloads:
        yield _MONITOR
    if turn.blocked is not None or turn.command_done:
        yield _PERSON
    if turn.status.candidate is None and turn.requested:
        yield _SOON if _decided_now(turn) else _PODS


def _until_next_poll(turn: Turn) -> timedelta:
    """Return the time until open blocks may close, counted from their baselines.

    Counted from now, each pass would shift it a little, and the step's end would cut off its last block just before that could close.
    """
    interval, analysis = poll_interval(turn.spec.analysis), turn.status.analysis
    newest = max((sample.at for sample in analysis.samples), default=None) if analysis is not None else None
    return interval if newest is None else interval - (turn.observed.now - newest) % interval


def _decided_now(turn: Turn) -> bool:
    return turn.status != turn.observed.status


def _deadlines(turn: Turn) -> Iterator[datetime | None]:
    status, rollout = turn.status, turn.spec.rollout
    yield status.watch_until
    yield next_telling(turn)
    yield next_mark(turn)
    yield next_request(turn)
    for version in status.draining:
        yield slot_free_at(turn, version)
        yield due_at(turn, version)
    candidate = status.candidate
    if candidate is None:
        return
    yield next_ask(turn)
    yield running_since(candidate, turn.now) + rollout.progress_deadline
    if candidate.hold_since is not None:
        yield candidate.hold_since + rollout.hold_timeout
    if candidate.reason_since is not None:
        yield candidate.reason_since + rollout.hold_timeout
    if rollout.max_duration is not None:
        yield running_since(candidate, turn.now) + rollout.max_duration
    if candidate.step_started_at is not None:
        yield candidate.step_started_at + current_step(turn.spec, candidate).min_duration


def _until(turn: Turn, at: datetime) -> timedelta:
    """Return the time until a deadline; one that has passed is another rule's business, not a reason to spin."""
    left = at - turn.observed.now
    return left if left > timedelta(0) else _PERSON
