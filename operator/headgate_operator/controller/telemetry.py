"""What the operator tells Prometheus about itself. No label is unbounded; docs/operator.md lists every series (a test compares)."""

from collections.abc import Callable
from datetime import datetime
from typing import Final, Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from headgate_operator.api.reasons import Reason
from headgate_operator.api.spec import Owner
from headgate_operator.api.status import ModelDeploymentStatus
from headgate_operator.controller.object_rows import run_result
from headgate_operator.controller.object_series import Key, ObjectSeries

_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_SECONDS_TO_ZERO: Final = (0.5, 1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 60, 120, 300)
_REFUSALS: Final = (
    Reason.ERRORS_WORSE, Reason.LATENCY_WORSE, Reason.METRIC_WORSE, Reason.ALL_FAILING, Reason.PARITY_MISMATCH, Reason.DATA_QUALITY_WORSE,
    Reason.PREDICTIONS_DIFFER, Reason.GROUND_TRUTH_WORSE, Reason.OBJECTIVE_MISSED, Reason.REPEATEDLY_UNREADY,
    Reason.CANDIDATE_UNREADY, Reason.UNDECIDED, Reason.TOO_LONG, Reason.ABORTED, Reason.ROLLED_BACK,
)  # fmt: skip
_RUN_RESULTS: Final = ("started", "succeeded", "failed")


class Queue(Protocol):
    """What is told of a queue."""

    @property
    def depth(self) -> int: ...  # noqa: D102
    @property
    def busy(self) -> int: ...  # noqa: D102


class Telemetry:
    """One registry with all of the operator's metrics, so that two operators in one process do not meet."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.objects = ObjectSeries()
        self._depth = self._gauge("headgate_workqueue_depth", "Objects that wait for a worker.")
        self._busy = self._gauge("headgate_workqueue_busy", "Objects a worker has in hand.")
        self.queue_wait = self._histogram("headgate_workqueue_wait_seconds", "How long an object waited for a worker.")
        self.retries = self._counter("headgate_workqueue_retries", "Looks that failed and are repeated.")
        self.pass_seconds = self._histogram("headgate_reconcile_seconds", "How long one look took.")
        self.passes = self._counter("headgate_reconciles", "Looks by result: unchanged, written, conflict, gone or error.", "result")
        self._requests = self._counter(
            "headgate_api_requests", "Requests to the API server; code 0 is no answer.", "verb", "resource", "code"
        )
        self._request_seconds = self._histogram("headgate_api_request_seconds", "How long a request to the API server took.", "verb")
        self.rollbacks = self._counter("headgate_rollbacks", "Refused revisions by reason.", "reason")
        self.retraining = self._counter("headgate_retraining_runs", "Training runs: started, succeeded or failed.", "result")
        self._begin_at_zero()
        self.promotions = self._counter("headgate_promotions", "Promoted revisions.")
        self._to_zero = self._histogram(
            "headgate_evidence_to_zero_seconds",
            "From the last count of the evidence that convicted a version to the look that read its weight back as 0.",
            buckets=_SECONDS_TO_ZERO,
        )
        self._convicted: dict[Key, dict[str, datetime]] = {}
        """Since when a refused version still has traffic."""
        self._audit_lines = self._counter("headgate_audit_lines", "Lines of the audit log: written or lost.", "result")
        self._audit_waiting = self._gauge("headgate_audit_waiting", "Lines of the audit log that are not written yet.")
        self.leader = self._gauge("headgate_leader", "1 while this process leads.")

    def watch(self, queue: Queue) -> None:
        """Tell of a queue as it is whenever somebody asks."""
        self._depth.set_function(lambda: queue.depth)
        self._busy.set_function(lambda: queue.busy)

    def audited(self, result: str, count: int) -> None:
        """Tell of lines of the audit log that were `written`, or `lost`."""
        self._audit_lines.labels(result).inc(count)

    def watch_audit(self, waiting: Callable[[], int]) -> None:
        """Tell how many lines of the audit log wait, whenever somebody asks."""
        self._audit_waiting.set_function(waiting)
        for result in ("written", "lost"):
            self._audit_lines.labels(result)  # from zero on

    def request(self, verb: str, resource: str, code: int, seconds: float) -> None:
        """Tell of a request to the API server; code 0: there was no answer."""
        self._requests.labels(verb, resource, str(code)).inc()
        self._request_seconds.labels(verb).observe(seconds)

    def report(
        self,
        key: Key,
        before: ModelDeploymentStatus,
        after: ModelDeploymentStatus,
        *,
        owner: Owner | None,
        now: datetime,
        counted_at: datetime | None = None,
    ) -> None:
        """Tell of an object's new status; `counted_at` is when the newest counters that it was decided from were read."""
        self.objects.show(key, after, owner)
        known = {(entry.id, entry.at) for entry in before.rejected}
        for entry in after.rejected:
            if (entry.id, entry.at) not in known:
                self.rollbacks.labels(entry.reason).inc()
        if after.stable is not None and before.candidate is not None and after.stable.id == before.candidate.id:
            self.promotions.inc()  # not for a stable version that a watch went back to, or that the route restored
        if (result := run_result(before.retraining, after.retraining)) is not None:
            self.retraining.labels(result).inc()
        self._clock_convictions(key, after, now, counted_at)

    def forget(self, key: Key) -> None:
        """Drop the series of an object that is gone."""
        self.objects.forget(key)
        self._convicted.pop(key, None)

    def render(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self.registry) + self.objects.render().encode()

    def _begin_at_zero(self) -> None:
        """Have series that count rare things before the first of them: to Prometheus a series that begins with 1 has not increased."""
        for reason in _REFUSALS:
            self.rollbacks.labels(reason)
        for result in _RUN_RESULTS:
            self.retraining.labels(result)

    def _clock_convictions(self, key: Key, after: ModelDeploymentStatus, now: datetime, counted_at: datetime | None) -> None:
        """Start a clock for each refused version that has traffic, and stop it when it is seen to have none.

        After a restart it starts when the refusal was put on record: that is all that is remembered.
        """
        served = {traffic.id for traffic in after.traffic if traffic.weight}
        running = self._convicted.setdefault(key, {})
        for entry in after.rejected:
            if entry.id in served and entry.id not in running:
                on_evidence = entry.evidence is not None and counted_at is not None
                running[entry.id] = counted_at if on_evidence and counted_at is not None else entry.at
        for id_ in running.keys() - served:
            self._to_zero.observe(max(0.0, (now - running.pop(id_)).total_seconds()))
        if not running:
            del self._convicted[key]

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, registry=self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, *labels: str, buckets: tuple[float, ...] = _SECONDS) -> Histogram:
        return Histogram(name, text, labels, buckets=buckets, registry=self.registry)
