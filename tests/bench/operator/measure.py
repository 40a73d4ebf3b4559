"""All figures of one fleet size, taken one after the other on one API server."""

import asyncio
import contextlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles

import aiohttp

from headgate_devcluster.access import Access, write_kubeconfig
from headgate_devcluster.apiclient import ApiClient, ApiError
from tests.bench.operator import fleet
from tests.bench.operator.copies import copy
from tests.bench.operator.process import BenchError, Metrics, Operator, operator
from tests.bench.operator.proxy import Proxy
from tests.bench.operator.standin import StandIn

CANARIES = 100
_EDITS_A_SECOND = 5.0


@dataclass
class Figures:
    """What one size gave so far; None: not measured. Seconds and megabytes unless said otherwise."""

    objects: int
    load: float | None = None
    """The machine's load average of one minute when it ended."""
    rolled_out: int = 0
    """So many the operator itself rolled out; the others are copies of one of them."""
    rollout_seconds: float | None = None
    """From the first creation until all of those serve, everything written."""
    writing_passes: float | None = None
    """Passes a second that wrote, when all of those had been edited before the operator started."""
    writing_cpu: float | None = None
    """Milliseconds of processor time of an edit: a pass that writes status and InferenceService, and whatever it makes necessary."""
    restart_seconds: float | None = None
    """From the start of the process until every object was looked at."""
    restart_cpu: float | None = None
    restart_writes: float | None = None
    quiet_passes: float | None = None
    """Passes a second that wrote nothing, once it led."""
    quiet_cpu: float | None = None
    """Milliseconds of processor time of such a pass, the lists and events of the start included."""
    megabytes: float | None = None
    peak_megabytes: float | None = None
    idle_cpu_percent: float | None = None
    idle_writes: float | None = None
    requests_a_pass: float | None = None
    """Requests to the API server in a pass that writes nothing."""
    to_children: list[float] = field(default_factory=list)
    """From each spec change until its InferenceService was heard of."""
    to_zero: list[float] = field(default_factory=list)
    """From the first failing request until the route said 0, each of many canaries at once."""
    evidence_to_zero: float | None = None
    """p99 as the operator counts it: from the counters that convicted."""
    cut_short: list[str] = field(default_factory=list)
    """Why some figures are missing."""
    soak_seconds: float | None = None
    soak_edits: int = 0
    soak_growth: float | None = None
    """Megabytes more after the soak than a quarter into it."""
    soak_cpu_percent: float | None = None


def percentile(values: list[float], share: float) -> float | None:
    """The quantile; None of nothing."""
    return quantiles(values, n=100, method="inclusive")[round(share * 100) - 1] if len(values) > 1 else next(iter(values), None)


async def measure(figures: Figures, folder: Path, access: Access, *, soak: float, idle: float, told: Callable[[str], None]) -> None:
    """Measure one size on an API server that has the definitions and no objects. `told` hears what is measured next.

    What cannot be measured, for instance on a machine with too much else to do, costs no figure that was measured before.
    """
    kubeconfig = write_kubeconfig(folder / "kubeconfig", access, namespace=fleet.NAMESPACE)
    async with ApiClient(access) as api, Proxy() as proxy:
        standin = StandIn(api, fleet.NAMESPACE)

        def started() -> AbstractAsyncContextManager[Operator]:
            return operator(folder, kubeconfig, proxy.address, fleet.NAMESPACE)

        with _whatever_comes(figures, standin):
            await _small_fleet(api, standin, started, figures, told)
            await _whole_fleet(api, proxy, standin, started, figures, soak=soak, idle=idle, told=told)
    figures.load = os.getloadavg()[0]


@contextlib.contextmanager
def _whatever_comes(figures: Figures, standin: StandIn) -> Iterator[None]:
    """Let what was measured so far stand when something goes wrong."""
    try:
        yield
    except (BenchError, ApiError, aiohttp.ClientError, TimeoutError) as error:
        refused = f" (the API server: {standin.refused})" if standin.refused else ""
        figures.cut_short.append(f"{str(error) or type(error).__name__}{refused}")


_Started = Callable[[], AbstractAsyncContextManager[Operator]]


async def _small_fleet(api: ApiClient, standin: StandIn, started: _Started, figures: Figures, told: Callable[[str], None]) -> None:
    """Roll out what the operator has to roll out by itself, and edit it."""
    await fleet.prepare(api)
    originals = fleet.names(figures.objects)[:CANARIES]
    figures.rolled_out = len(originals)
    async with standin.running():
        async with started() as running:
            told(f"{len(originals)} objects are created and rolled out")
            await _roll_out(running, api, figures, originals)
        await fleet.scale(api, originals[1:])  # but not the one that is copied: its status is about another generation then
        async with started() as running:
            told("these are edited")
            await _edited(running, figures)


async def _whole_fleet(
    api: ApiClient, proxy: Proxy, standin: StandIn, started: _Started, figures: Figures, *, soak: float, idle: float,
    told: Callable[[str], None],
) -> None:  # fmt: skip
    """Add the copies and start the operator that all other figures are about."""
    names = fleet.names(figures.objects)
    told(f"{len(names) - figures.rolled_out} copies")
    await copy(api, fleet.NAMESPACE, names[0], names[figures.rolled_out :])
    async with standin.running(), started() as running:
        told("restart")
        await _restart(running, figures)
        told(f"idle for {idle:.0f} s")
        await _idle(running, figures, idle)
        told(f"{figures.rolled_out} new versions, then all of them fail")
        with _whatever_comes(figures, standin):
            await _canaries(running, api, proxy, standin, figures)
        told(f"edits for {soak:.0f} s")
        await _soak(running, api, figures, soak)


async def _roll_out(running: Operator, api: ApiClient, figures: Figures, originals: list[str]) -> None:
    began = time.monotonic()
    await fleet.create(api, originals)
    await running.until("all objects serve", lambda seen: _serving(seen) >= len(originals), seconds=120 + len(originals) / 2)
    figures.rollout_seconds = time.monotonic() - began
    await running.until("nothing is left to do", _at_rest, seconds=60)


async def _edited(running: Operator, figures: Figures) -> None:
    led, cpu = await _leads(running)

    def written(seen: Metrics) -> bool:
        return seen.sum("headgate_reconciles_total", result="written") >= figures.rolled_out - 1 and _at_rest(seen)

    await running.until("every edit was carried out", written, seconds=120 + figures.rolled_out / 2, every=0.1)
    count = (await running.metrics()).sum("headgate_reconciles_total", result="written")
    figures.writing_passes = count / (time.monotonic() - led)
    figures.writing_cpu = 1000 * (running.cpu_seconds - cpu) / count


async def _leads(running: Operator) -> tuple[float, float]:
    """Wait until it works; return when that was, and the processor time that its start had cost."""
    await running.until("the operator leads", lambda seen: seen.sum("headgate_leader") > 0, seconds=60, every=0.1)
    return time.monotonic(), running.cpu_seconds


def _at_rest(seen: Metrics) -> bool:
    return seen.sum("headgate_workqueue_depth") + seen.sum("headgate_workqueue_busy") == 0


async def _restart(running: Operator, figures: Figures) -> None:
    led, cpu = await _leads(running)

    def looked_at(seen: Metrics) -> bool:
        return seen.sum("headgate_rollouts") >= figures.objects and _at_rest(seen)

    often = 0.1 + figures.objects / 10_000  # one reading of /metrics costs both sides a little for each object
    await running.until("every object was looked at", looked_at, seconds=60 + figures.objects / 5, every=often)
    seen, now = await running.metrics(), time.monotonic()
    passes = seen.sum("headgate_reconciles_total")
    figures.restart_seconds, figures.restart_cpu, figures.restart_writes = now - running.started, running.cpu_seconds, seen.writes
    figures.quiet_passes, figures.quiet_cpu = passes / (now - led), 1000 * (running.cpu_seconds - cpu) / passes
    figures.requests_a_pass = seen.sum("headgate_api_requests_total") / passes


async def _idle(running: Operator, figures: Figures, seconds: float) -> None:
    before, cpu = await running.metrics(), running.cpu_seconds
    await asyncio.sleep(seconds)
    figures.idle_cpu_percent = 100 * (running.cpu_seconds - cpu) / seconds
    figures.idle_writes = (await running.metrics()).writes - before.writes
    figures.megabytes, figures.peak_megabytes = running.megabytes, running.peak_megabytes


async def _canaries(running: Operator, api: ApiClient, proxy: Proxy, standin: StandIn, figures: Figures) -> None:
    chosen = fleet.names(min(CANARIES, figures.objects))
    before, changed = set(standin.services), dict[str, float]()
    for name in chosen:
        changed[name] = time.monotonic()
        await fleet.new_version(api, name, 2)
        await asyncio.sleep(0.1)
    await _wait("every new version has traffic", lambda: all(standin.weights.get(name) == 10 for name in chosen), 120)
    appeared = {standin.owners[isvc]: at for isvc, at in standin.services.items() if isvc not in before}
    figures.to_children = [appeared[name] - at for name, at in changed.items()]
    await asyncio.sleep(15)  # the block after a change of weight is thrown away
    failing = proxy.fail()
    await _wait("every new version has lost its traffic", lambda: all(standin.weights[name] == 0 for name in chosen), 180)
    figures.to_zero = [standin.zero_at[name] - failing for name in chosen]
    await running.until(
        "the weights were read back", lambda seen: seen.sum("headgate_evidence_to_zero_seconds_count") >= len(chosen), seconds=60
    )
    figures.evidence_to_zero = (await running.metrics()).quantile("headgate_evidence_to_zero_seconds", 0.99)


async def _soak(running: Operator, api: ApiClient, figures: Figures, seconds: float) -> None:
    known, began, cpu = fleet.names(figures.objects), time.monotonic(), running.cpu_seconds
    settled = running.megabytes
    while (passed := time.monotonic() - began) < seconds:
        if passed < seconds / 4:
            settled = running.megabytes
        with contextlib.suppress(ApiError):  # no time just now: the next edit comes in a moment
            await fleet.small_edit(api, known[figures.soak_edits * 7 % len(known)], figures.soak_edits)
        figures.soak_edits += 1
        await asyncio.sleep(max(0.0, figures.soak_edits / _EDITS_A_SECOND - (time.monotonic() - began)))
    figures.soak_seconds, figures.soak_growth = seconds, running.megabytes - settled
    figures.soak_cpu_percent = 100 * (running.cpu_seconds - cpu) / max(seconds, 1e-9)


def _serving(seen: Metrics) -> float:
    return seen.sum("headgate_rollouts", phase="Healthy")


async def _wait(what: str, met: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not met():
        if time.monotonic() > deadline:
            raise BenchError(f"not within {seconds:.0f} s: {what}")
        await asyncio.sleep(0.05)
