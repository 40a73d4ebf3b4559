"""All figures of one fleet size, taken one after the other on one API server."""

import asyncio
import os
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles

from headgate_devcluster.access import Access, write_kubeconfig
from headgate_devcluster.apiclient import ApiClient
from tests.bench.operator import fleet
from tests.bench.operator.copies import copy
from tests.bench.operator.process import BenchError, Metrics, Operator, operator
from tests.bench.operator.proxy import Proxy
from tests.bench.operator.standin import StandIn

CANARIES = 100
_EDITS_A_SECOND = 5.0


@dataclass
class Figures:
    """What one size gave. Seconds and megabytes unless said otherwise."""

    objects: int
    load: float = 0.0
    """The machine's load average of one minute when it ended."""
    rolled_out: int = 0
    """So many the operator itself rolled out; the others are copies of one of them."""
    rollout_seconds: float = 0.0
    """From the first creation until all of those serve, everything written."""
    writing_passes: float = 0.0
    """Passes a second that wrote, when all of those had been edited before the operator started."""
    writing_cpu: float = 0.0
    """Milliseconds of processor time of an edit: a pass that writes status and InferenceService, and the one that reads them back."""
    restart_seconds: float = 0.0
    """From the start of the process until every object was looked at."""
    restart_cpu: float = 0.0
    restart_writes: float = 0.0
    quiet_passes: float = 0.0
    """Passes a second that wrote nothing, once it led."""
    quiet_cpu: float = 0.0
    """Milliseconds of processor time of such a pass, the lists and events of the start included."""
    megabytes: float = 0.0
    peak_megabytes: float = 0.0
    idle_cpu_percent: float = 0.0
    idle_writes: float = 0.0
    requests_a_pass: float = 0.0
    """Requests to the API server in a pass that writes nothing."""
    to_children: list[float] = field(default_factory=list)
    """From each spec change until its InferenceService was heard of."""
    to_zero: list[float] = field(default_factory=list)
    """From the first failing request until the route said 0, each of many canaries at once."""
    evidence_to_zero: float = 0.0
    """p99 as the operator counts it: from the counters that convicted."""
    cut_short: str = ""
    """Why there are no figures of many canaries at once."""
    soak_seconds: float = 0.0
    soak_edits: int = 0
    soak_growth: float = 0.0
    """Megabytes more after the soak than a quarter into it."""
    soak_cpu_percent: float = 0.0


def percentile(values: list[float], share: float) -> float:
    """The quantile; 0 of nothing."""
    return quantiles(values, n=100, method="inclusive")[round(share * 100) - 1] if len(values) > 1 else sum(values)


async def measure(folder: Path, access: Access, count: int, *, soak: float, idle: float, told: Callable[[str], None]) -> Figures:
    """Measure one size on an API server that has the definitions and no objects."""
    figures = Figures(count)
    kubeconfig = write_kubeconfig(folder / "kubeconfig", access, namespace=fleet.NAMESPACE)
    async with ApiClient(access) as api, Proxy() as proxy:
        standin = StandIn(api, fleet.NAMESPACE)

        def started() -> AbstractAsyncContextManager[Operator]:
            return operator(folder, kubeconfig, proxy.address, fleet.NAMESPACE)

        await fleet.prepare(api)
        originals, copied = fleet.names(count)[:CANARIES], fleet.names(count)[CANARIES:]
        figures.rolled_out = len(originals)
        async with standin.running():
            async with started() as first:
                told(f"{count} objects: {len(originals)} of them created and rolled out")
                await _roll_out(first, api, figures, originals)
            await fleet.scale(api, originals[1:])  # but not the one that is copied: its status is about another generation then
            async with started() as second:
                told(f"{count} objects: these are edited")
                await _edited(second, figures)
        told(f"{count} objects: {len(copied)} copies")
        await copy(api, fleet.NAMESPACE, originals[0], copied)
        async with standin.running(), started() as third:
            told(f"{count} objects: restart")
            await _restart(third, figures)
            told(f"{count} objects: looked at in {figures.restart_seconds:.1f} s, {figures.restart_cpu:.1f} s of processor time")
            told(f"{count} objects: idle for {idle:.0f} s")
            await _idle(third, figures, idle)
            told(f"{count} objects: {figures.megabytes:.0f} MB, {figures.idle_cpu_percent:.2f} % of a processor")
            told(f"{count} objects: {len(originals)} new versions, then all of them fail")
            try:
                await _canaries(third, api, proxy, standin, figures)
            except BenchError as error:  # on a machine with too much else to do; what was measured so far stands
                figures.cut_short = str(error)
                told(f"{count} objects: {error}")
            told(f"{count} objects: edits for {soak:.0f} s")
            await _soak(third, api, figures, soak)
    figures.load = os.getloadavg()[0]
    return figures


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

    await running.until("every edit was carried out", written, seconds=120 + figures.rolled_out / 2, every=0.2)
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

    await running.until("every object was looked at", looked_at, seconds=60 + figures.objects / 5, every=0.5)
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
