"""What moves, what holds and what was refused: the page for whoever is on call."""

from typing import Final

from headgate_devcluster.dashboards.panel import Colour, Dashboard, Panel, Query, Row, State, Unit, View
from headgate_devcluster.dashboards.promql import NAME, OBJECT, gateway, latest, quantile, share, total
from headgate_operator.api.status import Phase

_COLOURS: Final = {
    Phase.HEALTHY: Colour.GOOD,
    Phase.HOLDING: Colour.WARNING,
    Phase.PAUSED: Colour.WARNING,
    Phase.SUSPENDED: Colour.WARNING,
    Phase.ROLLED_BACK: Colour.BAD,
    Phase.STALLED: Colour.BAD,
    Phase.PENDING: Colour.UNKNOWN,
}
_PHASES: Final = {number: State(phase.value, _COLOURS.get(phase, Colour.NEUTRAL)) for number, phase in enumerate(Phase)}
_VERSION: Final = f"{NAME} {{{{version}}}}"
_SINCE: Final = latest("headgate_version_since_timestamp_seconds", "role", "version", "revision")
_ANSWERS: Final = gateway("envoy_cluster_upstream_rq_xx")
_FAILURES: Final = gateway("envoy_cluster_upstream_rq_xx", matchers='envoy_response_code_class!~"[23]"')


def _phase() -> str:
    """Return the phase of each object as its number."""
    numbered = (f'{number} * headgate_rollout_phase{{{OBJECT},phase="{phase.value}"}}' for number, phase in enumerate(Phase))
    return f"max by (namespace, name) ({' or '.join(numbered)})"


_NOW: Final = Row(
    "Now",
    (
        Panel(
            title="Objects by phase",
            description="All ModelDeployments of this Prometheus, whatever is chosen above.",
            queries=(Query("sum by (phase) (headgate_rollouts) > 0", "{{phase}}"),),
            view=View.NUMBER,
            width=24,
            height=4,
        ),
        Panel(
            title="Not as it should be",
            description="Conditions that say so. Each reason is a section of the runbook.",
            queries=(Query(latest("headgate_trouble", "condition", "reason")),),
            view=View.TABLE,
            columns={"namespace": "Namespace", "name": "ModelDeployment", "condition": "Condition", "reason": "Reason"},
            width=12,
        ),
        Panel(
            title="Versions",
            description="What is served, on trial, kept for a return, and on its way out, since when.",
            queries=(Query(f"1000 * {_SINCE}"),),
            view=View.TABLE,
            unit=Unit.AGO,
            columns={
                "namespace": "Namespace",
                "name": "ModelDeployment",
                "role": "Role",
                "version": "Version",
                "revision": "Revision",
                "Value": "Since",
            },
            width=12,
        ),
    ),
)

_ROLLOUT: Final = Row(
    "Rollout",
    (
        Panel(
            title="Phase",
            description="One word for everything, as `kubectl get mdep` shows it.",
            queries=(Query(_phase(), NAME),),
            view=View.STATES,
            states=_PHASES,
            width=24,
            height=5,
        ),
        Panel(
            title="Weight",
            description="Percent of the traffic by role, and of the requests copied to a candidate, as the route was seen to say.",
            queries=(
                Query(latest("headgate_traffic_weight_percent", "role"), f"{NAME} {{{{role}}}}"),
                Query(f"{latest('headgate_candidate_mirror_percent')} > 0", f"{NAME} copied"),
            ),
            unit=Unit.PERCENT,
            maximum=100,
        ),
        Panel(
            title="Evidence that it is worse",
            description="As a part of what rolls it back: at the line the version on trial is refused.",
            queries=(Query(latest("headgate_rollback_evidence_ratio", "metric"), f"{NAME} {{{{metric}}}}"),),
            limit=1,
            runbook="errorsworse",
        ),
        Panel(
            title="Evidence that it is good enough",
            description="As a part of what promotes it: every metric must reach the line.",
            queries=(Query(latest("headgate_promotion_evidence_ratio", "metric"), f"{NAME} {{{{metric}}}}"),),
            limit=1,
            limit_colour=Colour.GOOD,
            runbook="insufficientdata",
        ),
        Panel(
            title="On hold",
            description="For how long without a break, by the present reason. After rollout.holdTimeout a person is asked.",
            queries=(Query(f"time() - {latest('headgate_hold_since_timestamp_seconds', 'reason')}", f"{NAME} {{{{reason}}}}"),),
            unit=Unit.SECONDS,
            runbook="something-holds",
        ),
        Panel(
            title="Refused, in the time shown",
            description="Revisions by the reason they were refused for, in all namespaces.",
            queries=(Query("sum by (reason) (increase(headgate_rollbacks_total[$__range])) > 0", "{{reason}}"),),
            view=View.NUMBER,
            limit=0.5,
            runbook="a-candidate-was-refused",
        ),
        Panel(
            title="Promoted, in the time shown",
            description="Revisions that became stable, in all namespaces.",
            queries=(Query("sum(increase(headgate_promotions_total[$__range]))", "promoted"),),
            view=View.NUMBER,
        ),
    ),
)

_GATEWAY: Final = Row(
    "At the gateway, by version (Envoy in Standard mode)",
    (
        Panel(
            title="Requests",
            description="Answered requests. A version's share should follow its weight.",
            queries=(Query(_ANSWERS, _VERSION),),
            view=View.STACK,
            unit=Unit.PER_SECOND,
        ),
        Panel(
            title="Failed",
            description="Answers that are neither 2xx nor 3xx, as the comparison counts them.",
            queries=(Query(share(f"({_FAILURES} or 0 * {_ANSWERS})", _ANSWERS), _VERSION),),
            unit=Unit.SHARE,
            runbook="errorsworse",
        ),
        Panel(
            title="Latency",
            description="Median and 99th percentile, within the edges of Envoy's buckets.",
            queries=tuple(
                Query(f"histogram_quantile({q}, {gateway('envoy_cluster_upstream_rq_time_bucket', 'le')})", f"{_VERSION} {word}")
                for q, word in ((0.5, "median"), (0.99, "p99"))
            ),
            unit=Unit.MILLISECONDS,
            runbook="latencyworse",
        ),
    ),
)

_SPEED: Final = Row(
    "How fast a bad version goes",
    (
        Panel(
            title="From the evidence to weight 0",
            description="From the last count that convicted a version to the look that read its weight back as 0, over 6 hours.",
            queries=tuple(
                Query(f"histogram_quantile({q}, {total('increase(headgate_evidence_to_zero_seconds_bucket[6h])', 'le')})", word)
                for q, word in ((0.5, "median"), (0.99, "p99"))
            ),
            unit=Unit.SECONDS,
            limit=30,
            width=12,
            runbook="alert-rollback-slow",
        ),
        Panel(
            title="A look, and the wait for it",
            description="99th percentiles. Both are part of the time above.",
            queries=(
                Query(quantile(0.99, "headgate_reconcile_seconds", ""), "look"),
                Query(quantile(0.99, "headgate_workqueue_wait_seconds", ""), "wait"),
            ),
            unit=Unit.SECONDS,
            width=12,
            runbook="alert-queue-slow",
        ),
    ),
)

ROLLOUTS: Final = Dashboard(
    uid="headgate-rollouts",
    title="Headgate / Rollouts",
    description="What is served, what is on trial, what holds and what was refused.",
    page="observability.md",
    rows=(_NOW, _ROLLOUT, _GATEWAY, _SPEED),
)
