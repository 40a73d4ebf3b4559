"""Reading a stored status that may be malformed, half-written, or of a release that knows other words."""

from collections.abc import Iterator

from pydantic import ValidationError

from headgate_operator.api.status import Candidate, ModelDeploymentStatus, Previous


def read_status(stored: object) -> tuple[ModelDeploymentStatus, frozenset[str]]:
    """Return what can be trusted of a status, and the names of the fields that were left out: unreadable ones, and roles that cannot be.

    Never raises.
    """
    if stored is None:
        return ModelDeploymentStatus(), frozenset()
    if not isinstance(stored, dict):
        return ModelDeploymentStatus(), frozenset({"status"})
    unreadable: frozenset[str] = frozenset()
    try:
        status = ModelDeploymentStatus.model_validate(stored)
    except ValidationError as error:
        unreadable = frozenset(str(details["loc"][0]) for details in error.errors(include_url=False))
        status = ModelDeploymentStatus.model_validate({name: value for name, value in stored.items() if name not in unreadable})
    impossible = frozenset(_impossible(status))
    return status.model_copy(update=dict.fromkeys(impossible)), unreadable | impossible


def _impossible(status: ModelDeploymentStatus) -> Iterator[str]:
    """Yield the roles that no release ever writes like this."""
    stable, candidate, previous = status.stable, status.candidate, status.previous
    if stable is not None and stable.slot not in (0, 1):
        yield "stable"
    if candidate is not None and _misplaced(status, candidate):
        yield "candidate"
    if previous is not None and (candidate is not None or _misplaced(status, previous)):
        yield "previous"


def _misplaced(status: ModelDeploymentStatus, other: Candidate | Previous) -> bool:
    """Whether a version beside stable has a place or weight that it cannot have, or is refused, or is stable itself."""
    stable, mirror = status.stable, other.mirror if isinstance(other, Candidate) else 0
    if other.slot not in (None, 0, 1) or any(entry.id == other.id for entry in status.rejected):
        return True
    if not 0 <= other.weight <= 100 or not 0 <= mirror <= 100 or (other.weight and mirror):
        return True
    if stable is None:
        return other.weight + mirror > 0
    same_place = other.slot is not None and other.slot == stable.slot
    return other.id == stable.id or same_place or (other.weight + mirror > 0 and other.slot is None)
