"""Versions that lose their endpoints while they have weight. The gateway would answer 503 for their share, so it goes elsewhere at once.

Only where there is an elsewhere: with no other version available, moving weight helps nobody (rollout.md rule 4).
"""

from typing import Final

from headgate_operator.api.reasons import Reason
from headgate_operator.rollout.refuse import refuse_candidate, refuse_promoted
from headgate_operator.rollout.strategy import what_it_gets
from headgate_operator.rollout.turn import Turn

_MAX_UNREADY: Final = 3


def guard_candidate(turn: Turn) -> Turn:
    """Take the weight, or the mirror, from a candidate without available replicas; refuse it the third time.

    A mirror goes also when stable has none: some gateways answer 500 to everybody for a rule whose mirror leads nowhere.
    """
    status = turn.status
    if status.candidate is None or status.stable is None or not status.candidate.gets_requests:
        return turn
    if turn.serving(status.candidate.isvc) or (status.candidate.weight > 0 and not turn.serving(status.stable.isvc)):
        return turn
    count = turn.candidate.unready_count + 1
    if count >= _MAX_UNREADY:
        message = f"it lost all its endpoints under traffic for the {count}rd time"
        return refuse_candidate(turn, Reason.REPEATEDLY_UNREADY, message)
    candidate = turn.candidate
    turn = turn.with_candidate(weight=0, mirror=0, step_started_at=None, unready=True, unready_count=count)
    message = (
        f"{candidate.id} lost its endpoints while it got {what_it_gets(candidate)} (time {count} of {_MAX_UNREADY}); "
        f"it gets nothing until it is ready"
    )
    return turn.note(Reason.CANDIDATE_UNREADY, message, revision=candidate.id, warning=True)


def guard_watch(turn: Turn) -> Turn:
    """During the watch: go back if the promoted version is gone, and take the holdback from a previous version that is gone."""
    stable, previous = turn.status.stable, turn.status.previous
    if stable is None or previous is None:
        return turn
    if not turn.serving(stable.isvc) and turn.serving(previous.isvc):
        return refuse_promoted(turn, Reason.CANDIDATE_UNREADY, "it lost all its endpoints")
    if previous.weight > 0 and not turn.serving(previous.isvc) and turn.serving(stable.isvc):
        turn = turn.with_status(previous=previous.model_copy(update={"weight": 0}))
        message = f"{previous.id} lost its endpoints; {stable.id} takes its holdback of {previous.weight}% until it is ready again"
        return turn.note(Reason.PREVIOUS_UNREADY, message, revision=previous.id, warning=True)
    return _return_holdback(turn)


def _return_holdback(turn: Turn) -> Turn:
    previous, holdback = turn.status.previous, turn.spec.rollout.watch.holdback
    if previous is None or previous.weight > 0 or holdback == 0 or turn.spec.paused:
        return turn
    service = turn.service(previous.isvc)
    if service is None or not service.ready_to_start(1):
        return turn
    turn = turn.with_status(previous=previous.model_copy(update={"weight": holdback}))
    return turn.note(Reason.WATCHING, f"{previous.id} is ready again and gets its holdback of {holdback}%", revision=previous.id)
