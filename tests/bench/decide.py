"""How long one `decide` takes: in the middle of a canary, for a typical object and for the largest that the API allows.

Where it goes. Of a typical pass in which nothing closes a third is `weigh_evidence`; the rest is spread over thirty rules of 2 to 40 µs
each, and no function has more than 4 %. When a block closes, each metric adds about 100 µs: the law of the block, two evidences, the
outlook in requests, and the new immutable status. The largest object compares 640 sets of counters (10 metrics, 32 proxies, 2 slots)
series by series, 1 ms in which nothing closes, and stores as many new baselines when blocks close, 2 ms.
"""

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from statistics import median, quantiles
from typing import Any

from headgate_operator.api.spec import Metric, MetricPreset, ModelDeploymentSpec, PrometheusQueries
from headgate_operator.api.status import Candidate, HistoryEntry, ModelDeploymentStatus, ParityResult, Rejected, Rendered, Stable
from headgate_operator.rollout.decide import decide
from headgate_operator.rollout.observed import Backend, Observed, Reading, Route, Scrape, Service, SlotCounters, Subject, Wanted
from headgate_operator.rollout.revision import revision_id, revision_inputs
from tests.bench.report import Cell, Report, Table

START = datetime(2026, 1, 1, tzinfo=UTC)
_EDGES = (0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000, 300000, 600000, 1800000, 3600000)
_RENDERED = Rendered(inference_service={"spec": {"predictor": {"model": {}}}}, serving_runtime={"spec": {"containers": []}})
TYPICAL, LARGEST = 200.0, 1000.0
"""Promised microseconds."""


@dataclass(frozen=True, kw_only=True)
class _Size:
    name: str
    latency_bounds: tuple[float, ...]
    """Milliseconds: a metric each, beside one about errors."""
    queries: int
    """Metrics with queries of their own, of which each has as many sources as there are proxies."""
    proxies: int
    remembered: int
    """Refused revisions; half as many are in the history."""
    promised: float


_SIZES = (
    _Size(name="typical: 2 metrics, 2 proxies", latency_bounds=(250,), queries=0, proxies=2, remembered=2, promised=TYPICAL),
    _Size(
        name="largest: 10 metrics that share no counters, 32 proxies, full history",
        latency_bounds=(50, 100, 250, 500, 1000),
        queries=4,
        proxies=32,
        remembered=20,
        promised=LARGEST,
    ),
)


def run(*, quick: bool) -> Report:
    """Time passes in which nothing closes, and passes that close a block of every metric."""
    passes, rows, missed = 50 if quick else 400, [], []
    for size in _SIZES:
        for what, seconds in (("between two blocks", 0.0), ("a block closes", 15.0)):
            spent = _passes(size, passes if size.promised == TYPICAL else passes // 4, seconds)
            middle, p95 = median(spent), quantiles(spent, n=20)[-1]
            rows.append((size.name, what, middle, p95, size.promised, "met" if middle <= size.promised else "missed"))
            if middle > size.promised:
                missed.append(f"decide, {size.name}, {what}: median {middle:.0f} µs, at most {size.promised:.0f} promised")
    return Report(tables=[_table(rows)], missed=missed)


def _table(rows: list[tuple[Cell, ...]]) -> Table:
    columns = ("object", "pass", "median, µs", "p95, µs", "promised", "")
    return Table(title="One decide in the middle of a canary", columns=columns, rows=rows)


def _passes(size: _Size, count: int, seconds: float) -> list[float]:
    """Microseconds of processor time of so many passes; `seconds` lie between two of them."""
    observed = _observed(size)
    spent = []
    for number in range(count + 10):
        now = START + timedelta(seconds=60 + number * seconds)
        observed = replace(observed, now=now, reading=_reading(size, now, number if seconds else 0))
        began = time.process_time()
        decision = decide(observed)
        spent.append((time.process_time() - began) * 1e6)
        observed = replace(observed, status=decision.status)
    return spent[10:]


def _reading(size: _Size, at: datetime, number: int) -> Reading:
    """Every proxy served both versions; one answer in fifty fails, some are slow, whichever version gives it."""

    def counters(requests: int) -> dict[str, float]:
        served = float(requests * (number + 1))
        bad = served // 50
        buckets = {f"latency_le_{edge:g}": served - served // (10 + edge) for edge in _EDGES}
        return {"rq_2xx": served - bad, "rq_5xx": bad, "rq_timeout": 0.0, "latency_count": served} | buckets

    def counted(requests: int, metric: int) -> dict[str, float]:
        served = float(requests * (number + 1))
        return {"bad": served // (30 + metric), "total": served}

    own = {f"query-{metric}": _scrapes(size, at, counted(900, metric), counted(100, metric)) for metric in range(size.queries)}
    readings = {name: Reading(scrapes=scrapes) for name, scrapes in own.items()}
    return Reading(scrapes=_scrapes(size, at, counters(900), counters(100)), flush=timedelta(seconds=5), own=readings)


def _scrapes(size: _Size, at: datetime, stable: dict[str, float], candidate: dict[str, float]) -> tuple[Scrape, ...]:
    slots = (SlotCounters(slot=0, counters=stable), SlotCounters(slot=1, counters=candidate))
    return tuple(Scrape(proxy=f"http://10.0.0.{proxy}:19001", at=at, slots=slots) for proxy in range(size.proxies))


def _observed(size: _Size) -> Observed:
    spec = _spec(size, 2)
    inputs = _inputs(spec)
    wanted, before = revision_id(inputs), revision_id(_inputs(_spec(size, 1)))
    stable, candidate = (f"flight-delay-{revision[1:]}" for revision in (before, wanted))
    serving = {name: Service(name=name, ours=True, available_replicas=3, isvc_ready=True, rolled_out=True) for name in (stable, candidate)}
    return Observed(
        now=START,
        subject=Subject(name="flight-delay", namespace="ml", uid="1", generation=2),
        spec=spec,
        status=_status(size, spec, before, wanted),
        wanted=Wanted(
            id=wanted, inputs=inputs, model_uri=str(spec.model.uri), version="2", isvc=candidate, rendered=_RENDERED, problem=None
        ),
        services=serving,
        route=Route(
            ours=True,
            accepted=True,
            slots=(Backend(isvc=stable, revision=before, weight=90), Backend(isvc=candidate, revision=wanted, weight=10)),
            stable_id=before,
        ),
    )


def _inputs(spec: ModelDeploymentSpec) -> dict[str, Any]:
    return revision_inputs(spec, uri=str(spec.model.uri))


def _spec(size: _Size, version: int) -> ModelDeploymentSpec:
    latency = [
        Metric(name=f"latency-{bound:g}", preset=MetricPreset.GATEWAY_LATENCY, slower_than=timedelta(milliseconds=bound))
        for bound in size.latency_bounds
    ]
    queries = [
        Metric(name=f"query-{number}", prometheus=PrometheusQueries(bad=f"bad_{number}", total=f"total_{number}"))
        for number in range(size.queries)
    ]
    metrics = [Metric(name="errors", preset=MetricPreset.GATEWAY_ERRORS), *latency, *queries]
    model = {"uri": f"s3://models/flight-delay/{version}", "format": {"name": "xgboost"}, "runtime": "headgate-xgboost"}
    rollout = {"steps": [{"weight": 10, "minDuration": "30d"}, {"weight": 50}]}
    spec = ModelDeploymentSpec.model_validate({"model": model, "rollout": rollout})
    return spec.model_copy(update={"analysis": spec.analysis.model_copy(update={"metrics": metrics})})


def _status(size: _Size, spec: ModelDeploymentSpec, stable: str, candidate: str) -> ModelDeploymentStatus:
    uri, inputs = "s3://models/flight-delay/", _inputs(spec)
    return ModelDeploymentStatus(
        stable=Stable(id=stable, model_uri=f"{uri}1", version="1", isvc=f"flight-delay-{stable[1:]}", slot=0, since=START),
        candidate=Candidate(
            id=candidate,
            model_uri=f"{uri}2",
            version="2",
            isvc=f"flight-delay-{candidate[1:]}",
            slot=1,
            inputs=dict(inputs),
            rendered=_RENDERED,
            started_at=START,
            step=0,
            weight=10,
            step_started_at=START,
            parity=ParityResult.PASSED,
        ),
        rejected=[Rejected(id=f"r{number:08x}", reason="ErrorsWorse", message="8%", at=START) for number in range(size.remembered)],
        history=[
            HistoryEntry(
                id=stable if not number else f"r{number + 99:08x}",
                model_uri=f"{uri}0",
                version="0",
                isvc="flight-delay-0",
                promoted_at=START,
                inputs=dict(inputs),
                rendered=_RENDERED,
            )
            for number in range(size.remembered // 2)
        ],
    )
