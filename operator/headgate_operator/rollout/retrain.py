"""Starting the training pipeline when the stable version is out of date: at most one run at a time, and few of them.

The decision is on record, with the name of the run, before anybody is asked to start it. The name follows from what the decision was made
on, and whoever starts the run looks for that name first: however often a crash repeats the request, there is one run.
"""

from datetime import datetime, timedelta
from typing import Final

from headgate_operator.api.model import changed
from headgate_operator.api.reasons import Reason
from headgate_operator.api.spec import Retraining
from headgate_operator.api.status import RetrainingStatus, RunState
from headgate_operator.rollout.observed import DriftReport
from headgate_operator.rollout.turn import Turn
from headgate_operator.rollout.upstream import RunAnswer, RunReport, RunRequest

_WEEK: Final = timedelta(days=7)
_FIRST_PAUSE: Final = timedelta(seconds=15)
_LONGEST_PAUSE: Final = timedelta(minutes=10)
_MAX_ATTEMPTS: Final = 8
"""About 35 minutes. After that the decision counts as one that failed; drift that lasts leads to another one after the cooldown."""
_MAX_MESSAGE: Final = 512


def retrain(turn: Turn) -> Turn:
    """Put on record what became of the last run, and decide on another one if it is time for that."""
    for answer in turn.observed.run_answers:
        turn = _heard(turn, answer)
    if turn.observed.run is not None:
        turn = _seen(turn, turn.observed.run)
    return _decide(_given_up(turn))


def run_request(turn: Turn) -> RunRequest | None:
    """Return the run that is to be started now: one that was decided on and is not known to exist."""
    known, wanted = turn.status.retraining, turn.spec.retraining
    if known is None or wanted is None or known.state is not RunState.STARTING or turn.observed.now < _next_attempt(known):
        return None
    parameters = tuple(sorted(wanted.pipeline.parameters.items()))
    return RunRequest(
        display_name=known.last_trigger, endpoint=known.endpoint, pipeline=wanted.pipeline.name, parameters=parameters
    )  # fmt: skip


def next_request(turn: Turn) -> datetime | None:
    """Return when a run that could not be started is asked for again."""
    known = turn.status.retraining
    return _next_attempt(known) if known is not None and known.state is RunState.STARTING and known.failures else None


def _decide(turn: Turn) -> Turn:
    wanted, report, stable = turn.spec.retraining, turn.observed.drift, turn.status.stable
    if wanted is None or report is None or stable is None or not _stale(report) or not _quiet(turn) or not _affordable(turn, wanted):
        return turn
    subject = turn.observed.subject
    name = f"headgate-{subject.namespace}-{subject.name}-{stable.id}-w{report.window}"
    if turn.status.retraining is not None and turn.status.retraining.last_trigger == name:
        return turn
    return turn.with_status(
        retraining=RetrainingStatus(
            last_trigger=name, cause=report.stale.message[:_MAX_MESSAGE], at=turn.now, endpoint=wanted.pipeline.endpoint,
            started=[turn.now, *_this_week(turn)],
        )
    )  # fmt: skip


def _stale(report: DriftReport) -> bool:
    """Whether a new model should be trained. Not on broken data: a model that learned from it would be worse than an old one."""
    return report.error is None and report.stale.signal.alarms and not report.quality.signal.alarms


def _quiet(turn: Turn) -> bool:
    """Whether nothing is on trial, watched, about to start or frozen, and no run is under way."""
    status = turn.status
    rollout = status.candidate is not None or status.previous is not None or turn.requested
    running = status.retraining is not None and status.retraining.state.under_way
    return not rollout and not running and not turn.spec.paused and turn.blocked is None


def _affordable(turn: Turn, wanted: Retraining) -> bool:
    known = turn.status.retraining
    return (known is None or turn.now >= known.at + wanted.cooldown) and len(_this_week(turn)) < wanted.max_per_week


def _this_week(turn: Turn) -> list[datetime]:
    """Return when runs were decided on within the last seven days, newest first."""
    known = turn.status.retraining
    return [at for at in known.started if turn.now - at < _WEEK] if known is not None else []


def _heard(turn: Turn, answer: RunAnswer) -> Turn:
    known = turn.status.retraining
    if known is None or known.state is not RunState.STARTING or answer.request.display_name != known.last_trigger:
        return turn
    if answer.run_id is not None:
        run = changed(known, last_run_id=answer.run_id, state=RunState.PENDING, failures=0, tried_at=None, message="")
        message = f"{known.cause or 'the stable version is out of date'}; run {answer.run_id} ({known.last_trigger}) trains a new one"
        return turn.with_status(retraining=run).note(Reason.RETRAINING_STARTED, message)
    error, failures = (answer.error or "")[:_MAX_MESSAGE], known.failures + 1
    state = RunState.STARTING if failures < _MAX_ATTEMPTS else RunState.NOT_STARTED
    turn = turn.with_status(retraining=changed(known, state=state, failures=failures, tried_at=turn.now, message=error))
    if state is RunState.NOT_STARTED:
        message = f"the run {known.last_trigger} could not be started in {failures} attempts: {error}"
        return turn.note(Reason.RETRAINING_FAILED, message, warning=True)
    if failures == 1:
        message = f"the run {known.last_trigger} could not be started, and is tried again: {error}"
        return turn.note(Reason.RETRAINING_FAILED, message, warning=True)
    return turn


def _seen(turn: Turn, report: RunReport) -> Turn:
    known = turn.status.retraining
    if known is None or report.run_id != known.last_run_id or report.state in (None, known.state):
        return turn
    turn = turn.with_status(retraining=changed(known, state=report.state, message=report.message[:_MAX_MESSAGE]))
    if report.state is RunState.SUCCEEDED:
        return turn.note(Reason.RETRAINING_SUCCEEDED, f"the run {known.last_run_id} ({known.last_trigger}) succeeded")
    if report.state is not None and not report.state.under_way:
        said = f": {report.message}" if report.message else ""
        message = f"the run {known.last_run_id} ({known.last_trigger}) ended as {report.state.value}{said}"
        return turn.note(Reason.RETRAINING_FAILED, message, warning=True)
    return turn


def _given_up(turn: Turn) -> Turn:
    """A manifest that asks for no retraining any more takes back a decision that nothing has come of yet."""
    known = turn.status.retraining
    if known is None or turn.spec.retraining is not None or known.state is not RunState.STARTING:
        return turn
    return turn.with_status(retraining=changed(known, state=RunState.NOT_STARTED, message="the manifest does not ask for it any more"))


def _next_attempt(known: RetrainingStatus) -> datetime:
    if known.tried_at is None:
        return known.at
    return known.tried_at + min(_FIRST_PAUSE * 2.0 ** (known.failures - 1), _LONGEST_PAUSE)
