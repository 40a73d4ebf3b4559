"""What the monitor tells Prometheus of itself: what became of events, how full its queues are, how many windows ended."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from headgate_monitor.collector.ring import Ring
from headgate_monitor.detectors.alibi import LICENCE, VERSION
from headgate_monitor.service.engine import Engine
from headgate_monitor.service.worker import Delivery
from headgate_monitor.truth.losses import Metric as Loss


class _Numbers(Collector):
    def __init__(self, engine: Engine, ring: Ring[Delivery]) -> None:
        self._engine, self._ring = engine, ring

    def collect(self) -> Iterator[Metric]:
        events = CounterMetricFamily("headgate_monitor_events", "Events by what became of them.", labels=["result", "reason"])
        for (result, reason), count in list(self._engine.counts.items()):
            events.add_metric([result, reason], count)
        events.add_metric(["ignored", "repeated"], self._engine.repeated)
        events.add_metric(["dropped", "overload"], self._ring.dropped)
        yield events
        yield GaugeMetricFamily("headgate_monitor_queue_events", "Events that wait to be read.", len(self._ring))
        yield GaugeMetricFamily("headgate_monitor_kept_share", "Share of the ids that are kept under the present load.", self._ring.share)
        yield GaugeMetricFamily("headgate_monitor_waiting_events", "Events that wait for their other half.", self._engine.waiting)
        yield GaugeMetricFamily("headgate_monitor_deployments", "ModelDeployments that are watched.", self._engine.deployments)
        windows = CounterMetricFamily("headgate_monitor_windows", "Windows that ended.", labels=["deployment"])
        for name, count in self._engine.windows().items():
            windows.add_metric([name], count)
        yield windows
        yield from self._labels()
        build = GaugeMetricFamily("headgate_monitor_detector_info", "The detectors' library.", labels=["alibi_detect", "licence"])
        build.add_metric([VERSION, LICENCE], 1)
        yield build

    def _labels(self) -> Iterator[Metric]:
        truths = self._engine.truths
        labels = CounterMetricFamily("headgate_monitor_labels", "Labels by what became of them.", labels=["result"])
        for result, count in list(truths.counts.items()):
            labels.add_metric([result], count)
        yield labels
        yield GaugeMetricFamily("headgate_monitor_kept_predictions", "Predictions that wait for labels, at most.", truths.kept)
        of = ["deployment", "version"]
        coverage = GaugeMetricFamily("headgate_monitor_label_coverage", "Share of the compared predictions that have labels.", labels=of)
        lag = GaugeMetricFamily("headgate_monitor_label_lag_seconds", "Mean time from a prediction to its label.", labels=of)
        loss = GaugeMetricFamily("headgate_monitor_loss", "Mean loss of the compared predictions by labels.", labels=[*of, "metric"])
        for name, said in truths.shown.items():
            for version, tally in said.sides.items():
                if not tally.labelled:
                    continue
                coverage.add_metric([name, version], tally.coverage)
                lag.add_metric([name, version], tally.lag / tally.labelled)
                for metric in Loss:
                    loss.add_metric([name, version, metric.value], tally.mean(metric) or 0.0)
        yield from (coverage, lag, loss)


def exposition(engine: Engine, ring: Ring[Delivery]) -> bytes:
    """Return all numbers in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Numbers(engine, ring))
    return generate_latest(registry)
