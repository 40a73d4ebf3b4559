"""The operator itself: who leads, how much waits, how looks and requests to the API server end."""

from typing import Final

from headgate_devcluster.dashboards.panel import Colour, Dashboard, Panel, Query, Row, State, Unit, View
from headgate_devcluster.dashboards.promql import quantile, rate, total

_LEADER: Final = {0: State("waits", Colour.NEUTRAL), 1: State("leads", Colour.GOOD)}


def _own(series: str) -> str:
    """Return what every process tells of itself, of operators only, whatever the job is called that scrapes them."""
    return f"{series} * on (job, pod, instance) group_left () (headgate_leader >= bool 0)"


_WORK: Final = Row(
    "Work",
    (
        Panel(
            title="Leader",
            description="One process of each shard leads; the others wait for its Lease.",
            queries=(Query("max by (pod, instance) (headgate_leader)", "{{pod}} {{instance}}"),),
            view=View.STATES,
            states=_LEADER,
            runbook="alert-no-leader",
        ),
        Panel(
            title="Queue",
            description="Objects that wait for a worker, and those a worker has in hand.",
            queries=(Query("sum(headgate_workqueue_depth)", "waiting"), Query("sum(headgate_workqueue_busy)", "in hand")),
            runbook="alert-queue-slow",
        ),
        Panel(
            title="Wait in the queue",
            description="How long an object waited for a worker.",
            queries=tuple(Query(quantile(q, "headgate_workqueue_wait_seconds", ""), word) for q, word in ((0.5, "median"), (0.99, "p99"))),
            unit=Unit.SECONDS,
            limit=5,
            runbook="alert-queue-slow",
        ),
        Panel(
            title="Looks by result",
            description="unchanged: nothing was written. conflict: somebody wrote meanwhile, and it is looked at again.",
            queries=(Query(total(rate("headgate_reconciles_total"), "result"), "{{result}}"),),
            view=View.STACK,
            unit=Unit.PER_SECOND,
            runbook="alert-reconcile-errors",
        ),
        Panel(
            title="A look",
            description="How long one took, calls to the API server and reads of metrics included.",
            queries=tuple(Query(quantile(q, "headgate_reconcile_seconds", ""), word) for q, word in ((0.5, "median"), (0.99, "p99"))),
            unit=Unit.SECONDS,
        ),
        Panel(
            title="Looks that failed and are repeated",
            description="Each with a longer pause before it.",
            queries=(Query(total(rate("headgate_workqueue_retries_total")), "repeated"),),
            unit=Unit.PER_SECOND,
            runbook="alert-reconcile-errors",
        ),
    ),
)

_API: Final = Row(
    "API server",
    (
        Panel(
            title="Requests by verb",
            description="Without watches. A fleet at rest needs few, and writes nothing.",
            queries=(Query(total(rate("headgate_api_requests_total"), "verb"), "{{verb}}"),),
            view=View.STACK,
            unit=Unit.PER_SECOND,
        ),
        Panel(
            title="Requests that failed",
            description="By resource and code; 0 is no answer. 409 is ordinary, 403 is a missing right.",
            queries=(
                Query(
                    total(rate("headgate_api_requests_total", 'code!~"2..|404"'), "resource", "code"),
                    "{{resource}} {{code}}",
                ),
            ),
            unit=Unit.PER_SECOND,
            runbook="alert-api-errors",
        ),
        Panel(
            title="Latency by verb",
            description="99th percentile.",
            queries=(Query(quantile(0.99, "headgate_api_request_seconds", "", "verb"), "{{verb}}"),),
            unit=Unit.SECONDS,
        ),
    ),
)

_PROCESS: Final = Row(
    "Process and audit log",
    (
        Panel(
            title="Memory",
            description="Resident. About 100 MB, and 9 KB for each ModelDeployment; the manifest's limit is 384 MiB.",
            queries=(Query(_own("process_resident_memory_bytes"), "{{pod}} {{instance}}"),),
            unit=Unit.BYTES,
            width=12,
        ),
        Panel(
            title="Processor time",
            description="Cores. It uses one at most: near 1 objects wait, and shards help.",
            queries=(Query(_own(rate("process_cpu_seconds_total")), "{{pod}} {{instance}}"),),
            width=12,
            limit=0.9,
            runbook="alert-queue-slow",
        ),
        Panel(
            title="Audit log",
            description="Lines, in the time shown, if the operator runs with --audit-log.",
            queries=(Query("sum by (result) (increase(headgate_audit_lines_total[$__range]))", "{{result}}"),),
            view=View.NUMBER,
            width=12,
            runbook="alert-audit-lines-lost",
        ),
        Panel(
            title="Audit lines that wait",
            description="They find no room: a full or a read-only volume. They are in the statuses meanwhile.",
            queries=(Query("sum(headgate_audit_waiting)", "waiting"),),
            width=12,
            limit=1,
            runbook="alert-audit-lines-lost",
        ),
    ),
)

OPERATOR: Final = Dashboard(
    uid="headgate-operator",
    title="Headgate / Operator",
    description="Whether the operator keeps up.",
    page="operator.md",
    rows=(_WORK, _API, _PROCESS),
    by_model=False,
)
