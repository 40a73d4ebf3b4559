"""Evidence: keep the comparison in step with the route, read it, and convict on it.

    candidate under canary    candidate             against  stable
    mirrored candidate        candidate's copies    against  stable
    watch after promotion     stable                against  previous

All are one comparison: it goes on through the promotion, so that its error rate holds for the whole rollout. A watch without holdback has
nothing to compare with; then the declared objectives speak for themselves, and the previous version, still warm, is what to return to.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from headgate_operator.api.model import changed
from headgate_operator.api.reasons import Reason
from headgate_operator.api.spec import MetricPreset, ModelDeploymentSpec
from headgate_operator.api.status import RefusalEvidence, Verdict
from headgate_operator.rollout.analysis import Analysis, Outcome, analyse, begin, reweigh
from headgate_operator.rollout.observed import MIRROR_SLOT
from headgate_operator.rollout.refuse import refuse_candidate, refuse_promoted
from headgate_operator.rollout.replicas import replicas_for
from headgate_operator.rollout.turn import Turn
from headgate_operator.rollout.weights import carried, carries, judged_alone, on_trial

_MAX_SUSPENSIONS: Final = 2
_WORSE: Final[Mapping[MetricPreset | None, Reason]] = {
    MetricPreset.GATEWAY_ERRORS: Reason.ERRORS_WORSE,
    MetricPreset.GATEWAY_LATENCY: Reason.LATENCY_WORSE,
    MetricPreset.FALLBACKS: Reason.METRIC_WORSE,
    None: Reason.METRIC_WORSE,
}


@dataclass(frozen=True)
class _Comparison:
    """Who is judged, against whom, where in the route."""

    trial: str
    trial_slot: int
    trial_weight: int
    mirror: int
    other: str
    other_slot: int
    both_serve: bool


def weigh_evidence(turn: Turn) -> Turn:
    """Once the route carries the weights and both versions serve: start the step's clock and count what was read."""
    comparison = _comparison(turn)
    if comparison is None or not carries(turn.observed.route, turn.status):
        return turn
    turn = _start_clock(turn)
    if not comparison.both_serve:
        return turn
    turn = _follow_source(_follow_weight(turn, comparison))
    reading, analysis = turn.observed.reading, turn.status.analysis
    if reading is None or analysis is None:
        return turn
    result = analyse(turn.spec.analysis, analysis, reading, now=turn.observed.now)
    turn = replace(turn, analysis=result).with_status(analysis=result.status)
    return _count(turn, result) if turn.status.candidate is not None else turn


def convict(turn: Turn) -> Turn:
    """Refuse, or for a fault of its pods suspend, whatever the evidence speaks against. The version to return to must be serving."""
    result = turn.analysis
    if result is None:
        return turn
    finding = result.all_failing or result.worse
    if finding is None:
        return _convict_alone(turn, result)
    reason = Reason.ALL_FAILING if result.all_failing else worse_reason(turn.spec, finding.metric)
    if turn.status.previous is not None:
        return refuse_promoted(turn, reason, finding.message, evidence=_numbers(result, finding))
    if result.all_failing and turn.candidate.disturbed and turn.candidate.suspended < _MAX_SUSPENSIONS:
        return _suspend(turn, finding.message)
    return refuse_candidate(turn, reason, finding.message, evidence=_numbers(result, finding))


def _convict_alone(turn: Turn, result: Analysis) -> Turn:
    """Beside another version a missed objective convicts nobody, for the world may be ill; with nothing beside it, it does."""
    missed = next((outcome for outcome in result.outcomes if outcome.verdict is Verdict.OBJECTIVE_MISSED), None)
    if missed is None or not judged_alone(turn.spec, turn.status):
        return turn
    return refuse_promoted(turn, Reason.OBJECTIVE_MISSED, f"{missed.metric}: {missed.message}", evidence=_numbers(result, missed))


def _numbers(result: Analysis, finding: Outcome) -> RefusalEvidence | None:
    metric = next((metric for metric in result.status.metrics if metric.name == finding.metric), None)
    if metric is None:
        return None
    evidence = metric.objective_evidence if finding.verdict is Verdict.OBJECTIVE_MISSED else metric.evidence
    return RefusalEvidence(
        metric=metric.name, verdict=finding.verdict, evidence=evidence, bound=metric.bound, bad=metric.bad, total=metric.total
    )  # fmt: skip


def _comparison(turn: Turn) -> _Comparison | None:
    stable, candidate, previous = turn.status.stable, turn.status.candidate, turn.status.previous
    other = candidate or previous
    if stable is None or other is None or stable.slot is None or other.slot is None:
        return None
    if on_trial(turn.status) is None and not judged_alone(turn.spec, turn.status):
        return None
    serve = turn.serving(stable.isvc) and turn.serving(other.isvc)
    if candidate is not None:
        place = MIRROR_SLOT if candidate.mirror else other.slot
        return _Comparison(candidate.id, place, other.weight, candidate.mirror, stable.id, stable.slot, serve)
    return _Comparison(stable.id, stable.slot, 100 - other.weight, 0, other.id, other.slot, serve)


def _start_clock(turn: Turn) -> Turn:
    """A step, and the watch, last from when the route was seen to carry their weight, not from when that was decided."""
    if turn.status.candidate is not None and turn.candidate.step_started_at is None:
        return turn.with_candidate(step_started_at=turn.next_second)
    return turn


def _follow_weight(turn: Turn, comparison: _Comparison) -> Turn:
    analysis = turn.status.analysis
    if analysis is None:
        return turn.with_status(
            analysis=begin(
                candidate=comparison.trial,
                candidate_slot=comparison.trial_slot,
                stable_slot=comparison.other_slot,
                weight=comparison.trial_weight,
                mirror=comparison.mirror,
            )
        )
    if carried(turn.observed.status) and not _was_interrupted(turn):
        return turn
    follow = partial(reweigh, candidate_slot=comparison.trial_slot, weight=comparison.trial_weight, mirror=comparison.mirror)
    return turn.with_status(analysis=follow(analysis, now=turn.observed.now))


def _follow_source(turn: Turn) -> Turn:
    """Counters of another provider are no continuation of those before, even where they carry the same names."""
    reading, analysis = turn.observed.reading, turn.status.analysis
    if reading is None or analysis is None or reading.source in ("", analysis.source):
        return turn
    if analysis.source:
        analysis = reweigh(analysis, weight=analysis.weight, mirror=analysis.mirror, now=turn.observed.now)
    return turn.with_status(analysis=changed(analysis, source=reading.source))


def _was_interrupted(turn: Turn) -> bool:
    """A block during which stable was gone says nothing about either version."""
    before = turn.observed.status.candidate
    return before is not None and before.hold_reason == Reason.STABLE_UNAVAILABLE


def _count(turn: Turn, result: Analysis) -> Turn:
    """Count the step's requests, and remember whether its pods were disturbed since the last block that was not all failures."""
    candidate, service = turn.candidate, turn.service(turn.candidate.isvc)
    assert service is not None
    wanted = replicas_for(turn.spec, turn.status, max(candidate.weight, candidate.mirror))
    disturbed = service.restarts > candidate.restarts or service.available_replicas < wanted
    calm = result.kept_requests > 0 and not any(metric.fail_streak.requests for metric in result.status.metrics)
    return turn.with_candidate(
        step_requests=candidate.step_requests + result.kept_requests,
        restarts=service.restarts,
        disturbed=disturbed or (candidate.disturbed and not calm),
    )


def _suspend(turn: Turn, message: str) -> Turn:
    candidate = turn.candidate
    count = candidate.suspended + 1
    turn = turn.with_candidate(weight=0, mirror=0, step_started_at=None, suspended=count, suspended_since=turn.now)
    text = f"{candidate.id} gets no traffic until it is ready: {message}, but its pods were disturbed (time {count} of {_MAX_SUSPENSIONS})"
    return turn.note(Reason.SUSPENDED, text, revision=candidate.id, warning=True)


def worse_reason(spec: ModelDeploymentSpec, metric_name: str) -> Reason:
    """Return the reason for a refusal on the evidence of that metric."""
    preset = next((metric.preset for metric in spec.analysis.metrics if metric.name == metric_name), None)
    return _WORSE[preset]
