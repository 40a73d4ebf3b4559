"""Numbers as sentences for Events, conditions and the live view."""

from datetime import timedelta

from headgate_operator.api.quantities import format_duration, format_share
from headgate_operator.api.spec import Metric, MetricPreset
from headgate_operator.api.status import FailStreak, MetricStatus, SideCounts


def share(part: int, whole: int) -> str:
    """Write "8.1% of 62"; "none of 0" has no share."""
    return f"{part / whole:.1%} of {whole}" if whole else "none of 0"


def what(metric: Metric) -> str:
    """Write what a bad request did."""
    if metric.preset is MetricPreset.GATEWAY_ERRORS:
        return "failed"
    if metric.preset is MetricPreset.FALLBACKS:
        return "were answered by the fallback"
    if metric.preset is None:
        return f"were bad ({metric.name})"
    return f"were slower than {format_duration(metric.slower_than or timedelta())}"


def counts(metric: Metric, state: MetricStatus) -> str:
    """Write what was seen: "8.1% of 62 requests failed, 0.0% of 561 to stable"."""
    candidate, stable = share(state.bad.candidate, state.total.candidate), share(state.bad.stable, state.total.stable)
    return f"{candidate} requests {what(metric)}, {stable} to stable"


def worse_or_open(metric: Metric, state: MetricStatus) -> str:
    """Write the rollback evidence beside its bound."""
    return f"{counts(metric, state)}; evidence {state.evidence:.1f} of {state.bound:.1f}"


def objective_missed(metric: Metric, state: MetricStatus) -> str:
    """Write the share the objective is about beside the objective, and the evidence beside its bound."""
    how = "failed with 5xx" if metric.preset is MetricPreset.GATEWAY_ERRORS else what(metric)
    return (
        f"{share(state.faults, state.total.candidate)} requests {how}, at most {format_share(metric.good_enough)} allowed; "
        f"evidence {state.objective_evidence:.1f} of {state.bound:.1f}"
    )


def not_worse(metric: Metric, state: MetricStatus) -> str:
    """Write the promotion evidence beside its bound."""
    return f"{counts(metric, state)}; promotion evidence {state.promotion_evidence:.1f} of {state.promotion_bound:.1f}"


def undecided(metric: Metric, state: MetricStatus) -> str:
    """Write both kinds of evidence, and how far the decision is."""
    if not state.total.candidate:
        return "no candidate request has been counted yet"
    needed = "" if state.requests_needed is None else f"; about {state.requests_needed} more candidate requests until a decision"
    return f"{worse_or_open(metric, state)}; promotion evidence {state.promotion_evidence:.1f} of {state.promotion_bound:.1f}{needed}"


def all_failing(streak: FailStreak) -> str:
    """Write the streak of failures beside what stable did meanwhile."""
    return (
        f"all of the last {streak.requests} requests failed, over {streak.blocks} block{'s' if streak.blocks > 1 else ''}; "
        f"meanwhile {share(streak.stable_bad, streak.stable_total)} failed on stable"
    )


def split_mismatch(weight: int, split: SideCounts) -> str:
    """Write the observed share beside the weight."""
    whole = split.candidate + split.stable
    return f"the candidate got {share(split.candidate, whole)} requests, which should be {weight}%; chance does not explain that"


def mirror_mismatch(percent: int, split: SideCounts) -> str:
    """Write the observed share of copies beside the mirror's."""
    return f"the candidate got copies of {share(split.candidate, split.stable)} requests, which should be {percent}%"


def no_copies(percent: int, requests: int) -> str:
    """Write why missing copies are no coincidence."""
    return f"no copy of {requests} requests reached the candidate, which should get copies of {percent}% of them"


def silence(weight: int, requests: int) -> str:
    """Write why no traffic is no coincidence."""
    return (
        f"none of {requests} answered requests was the candidate's, which should get {weight}% of them: either none reaches it, or it "
        "takes them and does not answer (requests count when they are answered)"
    )
