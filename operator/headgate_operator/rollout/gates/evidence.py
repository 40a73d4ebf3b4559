"""Gates about what the metrics say of the candidate. Nothing passes on missing evidence."""

from headgate_operator.api.quantities import format_duration
from headgate_operator.api.reasons import Reason
from headgate_operator.api.status import Verdict
from headgate_operator.rollout.analysis import failing
from headgate_operator.rollout.evidence import worse_reason
from headgate_operator.rollout.replicas import current_step
from headgate_operator.rollout.strategy import where_it_stands
from headgate_operator.rollout.turn import Turn, Wait


def nothing_against_it(turn: Turn) -> Wait | None:
    """No metric's evidence had reached its bound when it was last read. No command passes this gate."""
    analysis = turn.status.analysis
    against = [metric for metric in analysis.metrics if metric.verdict is Verdict.WORSE] if analysis is not None else []
    if not against:
        return None
    reason = worse_reason(turn.spec, against[0].name)
    return Wait(reason=reason, message=f"{against[0].name}: {against[0].message}", hold=True)


def no_fail_streak(turn: Turn) -> Wait | None:
    """The newest block has a good answer in it. Too few failures to convict are still no reason to give it more traffic."""
    analysis = turn.status.analysis
    by_name = {metric.name: metric for metric in turn.spec.analysis.metrics}
    streaks = (state for state in (analysis.metrics if analysis is not None else ()) if state.name in by_name)
    state = next((state for state in streaks if failing(by_name[state.name], state)), None)
    if state is None:
        return None
    requests = state.fail_streak.requests
    message = f"{state.name}: the last {requests} candidate requests failed, every one; a good answer has to come first"
    return Wait(reason=Reason.INSUFFICIENT_DATA, message=message, hold=True)


def metrics_read(turn: Turn) -> Wait | None:
    """The metrics were read in this pass; if not, whatever held before holds on."""
    if turn.analysis is not None:
        return None
    held = next((reason for reason in Reason if reason == turn.candidate.hold_reason), None)
    return Wait(reason=held or Reason.ANALYSING, message=_comparing(turn), hold=held is not None)


def provider_answers(turn: Turn) -> Wait | None:
    """The metric provider can be read. An outage of it must not roll anything back, nor let anything pass."""
    return _metric_says(turn, Verdict.PROVIDER_ERROR, Reason.PROVIDER_ERROR)


def data_complete(turn: Turn) -> Wait | None:
    """It knows both versions. Asked after the step's duration: a new backend's counters appear with its first requests."""
    return _metric_says(turn, Verdict.NO_DATA, Reason.NO_DATA)


def candidate_gets_traffic(turn: Turn) -> Wait | None:
    """Requests really reach it."""
    assert turn.analysis is not None
    if turn.analysis.no_traffic is None:
        return None
    return Wait(reason=Reason.NO_TRAFFIC, message=turn.analysis.no_traffic, hold=True)


def split_matches(turn: Turn) -> Wait | None:
    """Its share of the requests is what its weight says; else the two versions may not be asked by the same clients."""
    assert turn.analysis is not None
    if turn.analysis.split_mismatch is None:
        return None
    return Wait(reason=Reason.SPLIT_MISMATCH, message=turn.analysis.split_mismatch, hold=True)


def step_lasted(turn: Turn) -> Wait | None:
    """The step's shortest duration has passed."""
    step, since = current_step(turn.spec, turn.candidate), turn.candidate.step_started_at
    if since is not None and turn.now >= since + step.min_duration:
        return None
    return Wait(reason=Reason.ANALYSING, message=f"{_comparing(turn)} for at least {format_duration(step.min_duration)}")


def step_used(turn: Turn) -> Wait | None:
    """Enough of its requests were analysed in this step."""
    step, seen = current_step(turn.spec, turn.candidate), turn.candidate.step_requests
    if seen >= step.min_requests:
        return None
    message = f"{seen} of {step.min_requests} candidate requests {where_it_stands(turn.candidate)}"
    return Wait(reason=Reason.INSUFFICIENT_DATA, message=message, hold=True)


def objective_met(turn: Turn) -> Wait | None:
    """No declared maximum is missed. Asked before promotion only, and never a reason to roll back while stable serves."""
    return _metric_says(turn, Verdict.OBJECTIVE_MISSED, Reason.OBJECTIVE_MISSED)


def promotion_evidence(turn: Turn) -> Wait | None:
    """Every metric says not worse, unless the manifest does without: then no evidence against it is enough."""
    assert turn.analysis is not None
    if turn.analysis.promotable or not turn.spec.analysis.require_promotion_evidence:
        return None
    open_metrics = [outcome for outcome in turn.analysis.outcomes if outcome.verdict is not Verdict.NOT_WORSE]
    message = "; ".join(f"{outcome.metric}: {outcome.message}" for outcome in open_metrics) or "no evidence yet"
    return Wait(reason=Reason.INSUFFICIENT_DATA, message=message, hold=True)


def _metric_says(turn: Turn, verdict: Verdict, reason: Reason) -> Wait | None:
    assert turn.analysis is not None
    outcome = next((outcome for outcome in turn.analysis.outcomes if outcome.verdict is verdict), None)
    return Wait(reason=reason, message=f"{outcome.metric}: {outcome.message}", hold=True) if outcome is not None else None


def _comparing(turn: Turn) -> str:
    return f"{turn.candidate.id} is compared with the stable version {where_it_stands(turn.candidate)}"
