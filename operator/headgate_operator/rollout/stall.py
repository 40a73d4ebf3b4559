"""When a person is needed: nothing that Headgate may do by itself would change the situation."""

from collections.abc import Callable
from typing import Final

from headgate_operator.api.quantities import format_duration
from headgate_operator.api.reasons import Reason
from headgate_operator.rollout.pauses import running_since
from headgate_operator.rollout.turn import Turn, Wait

_STARTING: Final = frozenset({Reason.CANDIDATE_STARTING, Reason.CHECKING_PARITY, Reason.PARITY_UNAVAILABLE})


def stalled(turn: Turn) -> Wait | None:
    """Return why a person is needed, the most fundamental reason first."""
    return next((wait for check in _CHECKS if (wait := check(turn)) is not None), None)


def _blocked(turn: Turn) -> Wait | None:
    return turn.blocked


def _manifest_broken(turn: Turn) -> Wait | None:
    problem = turn.wanted.problem
    return Wait(reason=problem[0], message=problem[1]) if problem is not None and problem[0] is Reason.INVALID_SPEC else None


def _stable_unrecoverable(turn: Turn) -> Wait | None:
    """Restored from the route, so nobody knows how it was rendered, and now its InferenceService is gone."""
    stable = turn.status.stable
    if stable is None or turn.observed.services.get(stable.isvc) is not None:
        return None
    if any(entry.id == stable.id for entry in turn.status.history):
        return None
    message = (
        f"{stable.isvc} is gone and what it was made from was lost with the status: apply the manifest of {stable.id} to bring it back"
    )
    return Wait(reason=Reason.STATE_LOST, message=message)


def _name_taken(turn: Turn) -> Wait | None:
    if turn.wait is not None and turn.wait.reason is Reason.NAME_TAKEN:
        return turn.wait
    for version in (turn.status.stable, turn.status.previous):
        service = turn.observed.services.get(version.isvc) if version is not None else None
        if service is not None and not service.ours:
            message = f"an InferenceService {service.name} exists and belongs to somebody else: delete it"
            return Wait(reason=Reason.NAME_TAKEN, message=message)
    return None


def _not_written(turn: Turn) -> Wait | None:
    """A webhook refuses a version's InferenceService: the manifest asks for what KServe never takes."""
    versions = (turn.status.candidate, turn.status.stable, turn.status.previous)
    refusals = (turn.observed.refused.get(version.id) for version in versions if version is not None)
    return next((Wait(reason=Reason.INVALID_SPEC, message=refusal) for refusal in refusals if refusal is not None), None)


def _refused(turn: Turn) -> Wait | None:
    """The manifest asks for a revision that was refused; the stable version serves on."""
    entry = next((entry for entry in turn.status.rejected if entry.id == turn.wanted.id), None)
    if entry is None:
        return None
    return Wait(reason=Reason.CANDIDATE_REJECTED, message=f"{entry.id} was refused, {entry.reason}: {entry.message}")


def _not_ready_in_time(turn: Turn) -> Wait | None:
    candidate, deadline = turn.status.candidate, turn.spec.rollout.progress_deadline
    if candidate is None or turn.wait is None or turn.wait.reason not in _STARTING or candidate.step >= 0:
        return None
    if turn.now < running_since(candidate, turn.now) + deadline:
        return None
    message = f"{turn.wait.message}; not ready within {format_duration(deadline)}"
    return Wait(reason=Reason.CANDIDATE_NOT_READY, message=message)


def _held_too_long(turn: Turn) -> Wait | None:
    candidate, timeout = turn.status.candidate, turn.spec.rollout.hold_timeout
    if candidate is None or turn.wait is None or candidate.hold_since is None or turn.now < candidate.hold_since + timeout:
        return None
    message = f"on hold for more than {format_duration(timeout)}, {turn.wait.reason}: {turn.wait.message}"
    return Wait(reason=Reason.HOLD_TIMEOUT, message=message)


_CHECKS: Final[tuple[Callable[[Turn], Wait | None], ...]] = (
    _blocked,
    _manifest_broken,
    _stable_unrecoverable,
    _name_taken,
    _not_written,
    _refused,
    _not_ready_in_time,
    _held_too_long,
)
