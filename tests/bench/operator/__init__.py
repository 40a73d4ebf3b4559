"""The operator with a fleet: memory, throughput, latency, idling, growth; on a real API server if `make cluster-binaries` built one.

HEADGATE_BENCH_SIZES=500,2000,5000 chooses fleets, HEADGATE_BENCH_SOAK=30m the time of constant edits of the largest one (a minute for the
others). Everything shares the machine: etcd, the API server, the operator, and the bench itself, which plays KServe and the gateway.
"""

import asyncio
import contextlib
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

from headgate_devcluster.access import Access
from headgate_devcluster.apiclient import ApiClient
from headgate_devcluster.apiserver import ApiServer
from headgate_devcluster.installed import define
from headgate_operator.api.quantities import parse_duration
from tests.bench.operator.measure import CANARIES, Figures, measure, percentile
from tests.bench.report import Cell, Report, Table
from tests.realcluster.controlplane import control_plane
from tests.realcluster.definitions import full_definitions
from tests.realcluster.programs import NoRealApiError, Programs, find_programs

_SIZES = "500,2000,5000"
_SHORT_SOAK = 60.0
PUBLISHED: list[tuple[Cell, ...]] = [
    ("Argo Rollouts", "11,000-13,000 rollouts: 11-14 GB, 2-3 CPUs, restarted daily", "argoproj/argo-rollouts issue 2855"),
    ("Argo Rollouts", "10,000 rollouts: 16 GiB are not enough with default settings", "argoproj/argo-rollouts issue 3112"),
    ("Argo Rollouts", "25 rollouts, 135 AnalysisRuns: 140 MiB grew to 8.8 GB in 127 days", "argoproj/argo-rollouts issue 4571"),
    ("Argo Rollouts", "1,290 rollouts: 27 % less memory with revisionHistoryLimit 0", "its docs/best-practices.md"),
    ("Flagger", "none published; its chart's limits are 1 CPU and 512 Mi", "its Helm chart"),
    ("Flagger", "bad counters to weight 0: threshold × interval, 5 × 60 s in its examples, whatever the traffic", "its documentation"),
]


def run(*, quick: bool) -> Report:
    """Measure every size; the quick version has one of 300 objects, edited for 10 s."""
    sizes = [300] if quick else [int(size) for size in os.environ.get("HEADGATE_BENCH_SIZES", _SIZES).split(",")]
    soak = 10.0 if quick else parse_duration(os.environ.get("HEADGATE_BENCH_SOAK", "30m")).total_seconds()
    os.environ.setdefault("GOGC", "400")  # the API server: with its default a third of its time goes into collecting, on two shared cores
    server, figures = asyncio.run(_all(sizes, soak=soak, idle=10.0 if quick else 30.0))
    return Report(tables=[_table(server, figures), _elsewhere()], missed=_missed(figures))


async def _all(sizes: list[int], *, soak: float, idle: float) -> tuple[str, list[Figures]]:
    server, programs = _server()
    _say(server)
    measured = [Figures(size) for size in sizes]
    for figures in measured:
        edits = soak if figures.objects == max(sizes) else min(soak, _SHORT_SOAK)
        with tempfile.TemporaryDirectory(prefix="headgate-bench-") as folder:
            async with _api_server(Path(folder), programs) as access:
                tell = _Teller(figures)
                await measure(figures, Path(folder), access, soak=edits, idle=idle, told=tell)
                tell("done")
    return server, measured


class _Teller:
    """Says what is measured next, after what was: a run of hours that ends too early has told all that it knew."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures
        self._told: set[str] = set()

    def __call__(self, text: str) -> None:
        known = {row.what: value for row in ROWS if (value := row.value(self._figures)) is not None}
        for what in (what for what in known if what not in self._told):
            _say(f"{self._figures.objects} objects: {what}: {known[what]:.4g}")
        self._told |= known.keys()
        for why in self._figures.cut_short:
            _say(f"{self._figures.objects} objects: {why}")
        _say(f"{self._figures.objects} objects: {text}")


def _server() -> tuple[str, Programs | None]:
    try:
        return "a real kube-apiserver with etcd", find_programs()
    except NoRealApiError as missing:
        return f"the devcluster's double, in the bench's own process, NOT a real API server ({missing})", None


@contextlib.asynccontextmanager
async def _api_server(folder: Path, programs: Programs | None) -> AsyncIterator[Access]:
    if programs is not None:
        with control_plane(folder, programs, definitions=full_definitions()[1], audit=False) as plane:
            yield plane.access
        return
    async with ApiServer() as double:
        access = Access(double.url)
        async with ApiClient(access) as api:
            await define(api)
        yield access


@dataclass(frozen=True, kw_only=True)
class _Row:
    """One figure, and what is promised of it."""

    what: str
    value: Callable[[Figures], float | None]
    promise: str = ""
    met: Callable[[float], bool] = lambda _: True


ROWS = [
    _Row(what="memory, MB", value=lambda f: f.megabytes, promise="≤ 200 at 5,000", met=lambda v: v <= 200),
    _Row(what="memory at its highest since the restart, MB", value=lambda f: f.peak_megabytes),
    _Row(what="passes a second that write nothing", value=lambda f: f.quiet_passes, promise="≥ 200", met=lambda v: v >= 200),
    _Row(what="requests to the API server in such a pass", value=lambda f: f.requests_a_pass),
    _Row(what="processor time of such a pass, ms", value=lambda f: f.quiet_cpu),
    _Row(what="passes a second that write", value=lambda f: f.writing_passes, promise="≥ 80", met=lambda v: v >= 80),
    _Row(what="processor time of an edit, ms", value=lambda f: f.writing_cpu),
    _Row(what="restart until all were looked at, s", value=lambda f: f.restart_seconds, promise="≤ 30 at 5,000", met=lambda v: v <= 30),
    _Row(what="objects a second from a cold start", value=lambda f: f.objects / f.restart_seconds if f.restart_seconds else None),
    _Row(what="processor time of the restart, s", value=lambda f: f.restart_cpu),
    _Row(what="writes of the restart", value=lambda f: f.restart_writes, promise="0", met=lambda v: v == 0),
    _Row(what=f"the first {CANARIES} created and rolled out, s", value=lambda f: f.rollout_seconds),
    _Row(what="idle, % of a processor", value=lambda f: f.idle_cpu_percent),
    _Row(what="writes while idle", value=lambda f: f.idle_writes, promise="0", met=lambda v: v == 0),
    _Row(what="spec change to children written, p50, s", value=lambda f: percentile(f.to_children, 0.5)),
    _Row(what="spec change to children written, p99, s", value=lambda f: percentile(f.to_children, 0.99)),
    _Row(what=f"{CANARIES} canaries fail at once: to weight 0, p50, s", value=lambda f: percentile(f.to_zero, 0.5)),
    _Row(what=f"{CANARIES} canaries fail at once: to weight 0, p99, s", value=lambda f: percentile(f.to_zero, 0.99)),
    _Row(what="of that, after the evidence, p99 below, s", value=lambda f: f.evidence_to_zero, promise="≤ 6", met=lambda v: v <= 6),
    _Row(what="growth over the soak, MB", value=lambda f: f.soak_growth),
    _Row(what="processor while edited 5 times a second, %", value=lambda f: f.soak_cpu_percent),
    _Row(what="load average at the end", value=lambda f: f.load),
]  # fmt: skip


def _missed(measured: list[Figures]) -> list[str]:
    late = [
        f"{figures.objects:,} objects, {row.what}: {value:.1f}, {row.promise} promised"
        for figures in measured for row in ROWS if (value := row.value(figures)) is not None and not row.met(value)
    ]  # fmt: skip
    return [*late, *(f"{figures.objects:,} objects, not all was measured: {why}" for figures in measured for why in figures.cut_short)]


def _table(server: str, measured: list[Figures]) -> Table:
    rows = [(row.what, *(_cell(row.value(figures)) for figures in measured), row.promise) for row in ROWS]
    return Table(
        title="The operator with a fleet",
        columns=("figure", *(f"{figures.objects:,} objects" for figures in measured), "promised"),
        rows=rows,
        note=f"On {server}; everything shares {os.cpu_count()} cores. No pods run: the bench writes the statuses of InferenceServices, "
        "Deployments and routes, and plays a proxy that counts 10 requests a second to every candidate. "
        f"The first {CANARIES} objects were rolled out by the operator, the others are copies of one of them. "
        f"Soak: {', '.join(f'{figures.soak_seconds or 0:.0f} s' for figures in measured)} of edits.",
    )


def _cell(value: float | None) -> Cell:
    return "–" if value is None else round(value, 2)


def _elsewhere() -> Table:
    return Table(title="What others have published", columns=("controller", "figure", "source"), rows=PUBLISHED)


def _say(text: str) -> None:
    """Say how far it is: this takes minutes."""
    sys.stderr.write(f"operator: {text}\n")
    sys.stderr.flush()
