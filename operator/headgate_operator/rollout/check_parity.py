"""Parity as a rule of the rollout: what the comparison means for the candidate."""

from headgate_operator.api.reasons import Reason
from headgate_operator.api.spec import ParityMode
from headgate_operator.api.status import ParityResult
from headgate_operator.rollout.refuse import refuse_candidate
from headgate_operator.rollout.registry import registry_version
from headgate_operator.rollout.turn import Turn, Wait


def check_parity(turn: Turn) -> Turn:
    """Record how the parity check ended; a mismatch refuses the candidate before its first request."""
    if turn.status.candidate is None or turn.candidate.parity is not None:
        return turn
    if _nothing_to_ask(turn):
        return turn.with_candidate(parity=ParityResult.SKIPPED)
    answer = turn.observed.parity
    if answer is None or answer.revision != turn.candidate.id:
        return turn
    if answer.absent and turn.spec.parity.mode is ParityMode.IF_PRESENT and turn.candidate.golden is None:
        return turn.with_candidate(parity=ParityResult.SKIPPED)
    if answer.golden is None:
        return turn
    if turn.candidate.golden is None:  # the first set that was read: a later one under the same name may be another model's
        turn = turn.with_candidate(golden=answer.golden)
    if not answer.asked or answer.unavailable is not None or answer.golden != turn.candidate.golden:
        return turn
    if answer.mismatch is not None:
        return refuse_candidate(turn, Reason.PARITY_MISMATCH, answer.mismatch)
    return turn.with_candidate(parity=ParityResult.PASSED)


def parity_passed(turn: Turn) -> Wait | None:
    """Gate: the candidate gives the answers it gave where it was trained, or nobody asked for that."""
    if turn.candidate.parity is not None:
        return None
    version = registry_version(turn.status, turn.candidate.id)
    if turn.spec.parity.golden is None and version is None:
        message = "parity is required, but the manifest names no golden set (spec.parity.golden.configMap)"
        return Wait(reason=Reason.GOLDEN_MISSING, message=message, hold=True)
    answer = turn.observed.parity
    if answer is not None and answer.revision == turn.candidate.id and answer.asked:
        reason, message = answer.unavailable or (Reason.GOLDEN_MISSING, f"version {version} has no tag headgate.golden in the registry")
        return Wait(reason=reason, message=message, hold=True)
    return Wait(reason=Reason.CHECKING_PARITY, message=f"{turn.candidate.id} is being sent the golden inputs")


def _nothing_to_ask(turn: Turn) -> bool:
    parity = turn.spec.parity
    if parity.mode is ParityMode.OFF:
        return True
    nowhere = parity.golden is None and registry_version(turn.status, turn.candidate.id) is None
    return parity.mode is ParityMode.IF_PRESENT and nowhere
