"""What the monitor tells Prometheus of itself: what became of events, how full its queues are, how many windows ended."""

from collections.abc import Iterator, Mapping
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from headgate_monitor.collector.ring import Ring
from headgate_monitor.detectors.alibi import LICENCE, VERSION
from headgate_monitor.service.engine import Engine
from headgate_monitor.service.worker import Delivery
from headgate_monitor.truth.losses import Metric as Loss
from headgate_monitor.watch.alarm import Alarm, Signal
from headgate_monitor.watch.deployment import DeploymentState

_LEVELS: Final = (Signal.CLEAN, Signal.DRIFT, Signal.SEVERE)
_MOST_FEATURES: Final = 10
"""Of a version: series cost whoever keeps them."""


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
        yield GaugeMetricFamily("headgate_monitor_queue_events", "Events in the queue.", len(self._ring))
        yield GaugeMetricFamily("headgate_monitor_kept_share", "Share of the request ids kept under the current load.", self._ring.share)
        yield GaugeMetricFamily(
            "headgate_monitor_waiting_events", "Requests or responses whose other half has not arrived yet.", self._engine.waiting
        )
        yield GaugeMetricFamily("headgate_monitor_deployments", "ModelDeployments being watched.", self._engine.deployments)
        states = self._engine.states()
        windows = CounterMetricFamily("headgate_monitor_windows", "Finished windows.", labels=["deployment"])
        for name, state in states.items():
            windows.add_metric([name], state.finished)
        yield windows
        yield from _verdicts(states)
        yield from self._labels()
        build = GaugeMetricFamily("headgate_monitor_detector_info", "Library that the detectors use.", labels=["alibi_detect", "licence"])
        build.add_metric([VERSION, LICENCE], 1)
        yield build

    def _labels(self) -> Iterator[Metric]:
        truths = self._engine.truths
        labels = CounterMetricFamily("headgate_monitor_labels", "Labels by what became of them.", labels=["result"])
        for result, count in list(truths.counts.items()):
            labels.add_metric([result], count)
        yield labels
        yield GaugeMetricFamily("headgate_monitor_kept_predictions", "Upper bound of the predictions waiting for labels.", truths.kept)
        of = ["deployment", "version"]
        coverage = GaugeMetricFamily("headgate_monitor_label_coverage", "Share of the compared predictions that have labels.", labels=of)
        lag = GaugeMetricFamily("headgate_monitor_label_lag_seconds", "Mean time from a prediction to its label.", labels=of)
        loss = GaugeMetricFamily(
            "headgate_monitor_loss", "Mean loss of the compared predictions, measured by their labels.", labels=[*of, "metric"]
        )
        skill = GaugeMetricFamily(
            "headgate_monitor_skill",
            "Skill of the version that serves: 1 is perfect, 0 no better than the base rate.",
            labels=[*of, "period"],
        )
        for name, said in truths.shown.items():
            for period, quality in said.qualities.items():
                if quality.skill is not None:
                    skill.add_metric([name, said.stable, period], quality.skill.value)
            for version, tally in said.sides.items():
                if not tally.labelled:
                    continue
                coverage.add_metric([name, version], tally.coverage)
                lag.add_metric([name, version], tally.lag / tally.labelled)
                for metric in Loss:
                    loss.add_metric([name, version, metric.value], tally.mean(metric) or 0.0)
        yield from (coverage, lag, loss, skill)


def _verdicts(states: Mapping[str, DeploymentState]) -> Iterator[Metric]:
    of = ["deployment", "version"]
    signal = GaugeMetricFamily(
        "headgate_monitor_signal", "0 Clean, 1 Drift, 2 Severe; no series while unknown.", labels=[*of, "comparison"]
    )
    distance = GaugeMetricFamily(
        "headgate_monitor_distance",
        "Distance from the reference, for the features that moved most in the last window.",
        labels=[*of, "feature"],
    )
    rows = GaugeMetricFamily("headgate_monitor_window_rows", "Rows of the last window.", labels=of)
    ended = GaugeMetricFamily("headgate_monitor_window_timestamp_seconds", "When the last window ended.", labels=of)
    moved = GaugeMetricFamily(
        "headgate_monitor_output_distance", "Distance of the last window's predictions from the reference's.", labels=of
    )
    for name, state in states.items():
        for version, comparison, alarm in _alarms(state):
            if alarm.signal in _LEVELS:
                signal.add_metric([name, version, comparison], _LEVELS.index(alarm.signal))
        for version, seen in state.inputs.items():
            for feature in seen.moved[:_MOST_FEATURES]:
                distance.add_metric([name, version, feature.name], feature.distance)
            if seen.records:
                rows.add_metric([name, version], seen.records[-1].rows)
                ended.add_metric([name, version], seen.records[-1].at)
        for version, seen in state.outputs.items():
            for prediction in seen.moved:
                moved.add_metric([name, version], prediction.distance)
    yield from (signal, distance, moved, rows, ended)


def _alarms(state: DeploymentState) -> Iterator[tuple[str, str, Alarm]]:
    """Yield every alarm with its version and what it compares."""
    for version, seen in state.inputs.items():
        yield version, "reference", seen.alarm
        yield version, "previous", seen.previous
    for version, seen in state.outputs.items():
        yield version, "output", seen.alarm
        yield version, "output-previous", seen.previous
    if state.pair is not None:
        compared = state.comparison
        for comparison, alarm in (("routing", compared.routing), ("prediction", compared.prediction), ("quality", compared.quality)):
            yield state.pair[1], comparison, alarm


def exposition(engine: Engine, ring: Ring[Delivery]) -> bytes:
    """Return all numbers in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Numbers(engine, ring))
    return generate_latest(registry)
