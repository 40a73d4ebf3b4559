"""What the operator tells Prometheus about itself. No label is unbounded: objects' series go when the objects go."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from headgate_operator.api.spec import Owner
from headgate_operator.api.status import ModelDeploymentStatus, Phase

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Telemetry:
    """One registry with all of the operator's metrics, so that two operators in one process do not meet."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.queue_depth = self._gauge("headgate_workqueue_depth", "Objects that wait for a worker.")
        self.queue_busy = self._gauge("headgate_workqueue_busy", "Objects a worker has in hand.")
        self.queue_wait = self._histogram("headgate_workqueue_wait_seconds", "How long an object waited for a worker.")
        self.retries = self._counter("headgate_workqueue_retries", "Looks that failed and are repeated.")
        self.pass_seconds = self._histogram("headgate_reconcile_seconds", "How long one look took.")
        self.passes = self._counter("headgate_reconciles", "Looks by result: unchanged, written, conflict, gone or error.", "result")
        self.phase = self._gauge("headgate_rollout_phase", "1 for the present phase of each object.", "namespace", "name", "phase")
        self.weight = self._gauge("headgate_candidate_weight", "Percent of traffic the candidate has.", "namespace", "name")
        self.owner = self._gauge(
            "headgate_model_owner", "1 for each object whose manifest names an owner.", "namespace", "name", "team", "contact", "runbook"
        )
        self._owners: dict[tuple[str, str], tuple[str, str, str]] = {}
        self.mirror = self._gauge(
            "headgate_candidate_mirror", "Percent of requests of which the candidate gets a copy.", "namespace", "name"
        )
        self.rollbacks = self._counter("headgate_rollbacks", "Refused revisions by reason.", "reason")
        self.promotions = self._counter("headgate_promotions", "Promoted revisions.")
        self.leader = self._gauge("headgate_leader", "1 while this process leads.")

    def report(self, namespace: str, name: str, before: ModelDeploymentStatus, after: ModelDeploymentStatus) -> None:
        """Tell of an object's new status."""
        for phase in Phase:
            if phase is after.phase:
                self.phase.labels(namespace, name, phase.value).set(1)
            elif phase is before.phase:
                self.phase.labels(namespace, name, phase.value).set(0)
        self.weight.labels(namespace, name).set(after.candidate.weight if after.candidate else 0)
        self.mirror.labels(namespace, name).set(after.candidate.mirror if after.candidate else 0)
        known = {(entry.id, entry.at) for entry in before.rejected}
        for entry in after.rejected:
            if (entry.id, entry.at) not in known:
                self.rollbacks.labels(entry.reason).inc()
        if after.stable is not None and before.candidate is not None and after.stable.id == before.candidate.id:
            self.promotions.inc()  # not for a stable version that a watch went back to, or that the route restored

    def report_owner(self, namespace: str, name: str, owner: Owner | None) -> None:
        """Tell whose model an object is: to be joined with other metrics in alerts."""
        words = (owner.team or "", owner.contact or "", owner.runbook or "") if owner is not None else None
        before = self._owners.get((namespace, name))
        if words == before:
            return
        if before is not None:
            _remove(self.owner, namespace, name, *before)
            del self._owners[namespace, name]
        if words is not None:
            self._owners[namespace, name] = words
            self.owner.labels(namespace, name, *words).set(1)

    def forget(self, namespace: str, name: str) -> None:
        """Drop the series of an object that is gone."""
        for phase in Phase:
            _remove(self.phase, namespace, name, phase.value)
        _remove(self.weight, namespace, name)
        _remove(self.mirror, namespace, name)
        self.report_owner(namespace, name, None)

    def render(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(name, text, labels, registry=self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str) -> Histogram:
        return Histogram(name, text, buckets=_SECONDS, registry=self.registry)


def _remove(gauge: Gauge, *labels: str) -> None:
    try:
        gauge.remove(*labels)
    except KeyError:
        return  # it never had that series
