"""The workers: failures are told once and wait longer, one broken object stops nobody, stopping is bounded."""

import asyncio
import logging

import pytest

from headgate_operator.controller.background import Background
from headgate_operator.controller.fleet import FleetRegister, FleetSettings
from headgate_operator.controller.reconciler import Reconciler
from headgate_operator.controller.settings import Settings
from headgate_operator.controller.telemetry import Telemetry
from headgate_operator.controller.workqueue import WorkQueue
from headgate_operator.kube.protocol import ConflictError, UnavailableError

KEY = ("ml", "flight-delay")


class Observer:
    """Does what each key's script says."""

    def __init__(self, **scripts) -> None:
        self.scripts = scripts
        self.looks: list[str] = []
        self.fleet = FleetRegister(FleetSettings())
        self.forgotten = []

    def forget(self, key):
        self.forgotten.append(key[1])

    async def observe(self, key):
        self.looks.append(key[1])
        result = self.scripts[key[1]]
        if isinstance(result, Exception):
            raise result
        if result is not None:
            await result()
        return


def reconciler(observer: Observer, *, workers: int = 2) -> tuple[Reconciler, WorkQueue]:
    queue: WorkQueue = WorkQueue(backoff_base=1)
    settings = Settings(gateway=None, domain="example.com", workers=workers)
    return Reconciler(queue, observer, None, Background.of(settings, wake=queue.add), settings=settings, telemetry=Telemetry()), queue


async def wait_for_ever() -> None:
    await asyncio.Event().wait()


def test_a_broken_object_is_told_once_waits_longer_each_time_and_stops_nobody(on_fake_time, caplog) -> None:
    async def run() -> list[str]:
        observer = Observer(broken=UnavailableError("no time"), fine=None)
        worker, queue = reconciler(observer)
        worker.start()
        queue.add(("ml", "broken"))
        queue.add(("ml", "fine"))
        await asyncio.sleep(100)
        await worker.stop(1)
        return observer.looks

    with caplog.at_level(logging.INFO):
        looks = on_fake_time(run())
    assert looks.count("fine") == 1
    assert looks.count("broken") == 7  # after 0, 1, 3, 7, 15, 31 and 63 seconds
    assert [record.message for record in caplog.records if "no time" in record.message] == ["no time; next try in 1.0 s"]
    assert caplog.records[0].exc_info is None


def test_a_bug_of_ours_is_logged_with_its_traceback_and_the_worker_goes_on(on_fake_time, caplog) -> None:
    async def run() -> list[str]:
        observer = Observer(bug=KeyError("oops"), fine=None)
        worker, queue = reconciler(observer, workers=1)
        worker.start()
        queue.add(("ml", "bug"))
        queue.add(("ml", "fine"))
        await asyncio.sleep(0.5)
        await worker.stop(1)
        return observer.looks

    assert on_fake_time(run()) == ["bug", "fine"]
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert record.exc_info is not None


def test_stopping_waits_for_looks_under_way_but_not_for_ever(on_fake_time) -> None:
    async def run() -> float:
        finished = []

        async def short() -> None:
            await asyncio.sleep(3)
            finished.append("short")

        observer = Observer(short=short, endless=wait_for_ever)
        worker, queue = reconciler(observer)
        worker.start()
        queue.add(("ml", "short"))
        queue.add(("ml", "endless"))
        await asyncio.sleep(0.1)
        start = asyncio.get_running_loop().time()
        await worker.stop(10)
        assert finished == ["short"]
        assert len(asyncio.all_tasks()) == 1
        return asyncio.get_running_loop().time() - start

    assert on_fake_time(run()) == pytest.approx(10)


async def test_a_look_that_wrote_is_followed_by_another_at_once(world) -> None:
    await world.manifest()
    assert await world.reconciler.look(KEY) == "written"
    assert world.queue.depth == 1


async def test_an_unchanged_object_is_looked_at_again_after_the_resync(world) -> None:
    await world.manifest()
    await world.settle()
    await world.queue.get()
    world.queue.done(KEY)
    world.queue._cancel_timer(KEY)
    assert await world.reconciler.look(KEY) == "unchanged"
    due = world.queue._timers[KEY].when() - asyncio.get_running_loop().time()
    assert due == pytest.approx(300, abs=1)


async def test_writes_that_never_take_effect_slow_down(world) -> None:
    await world.manifest()
    await world.settle()

    async def undo() -> None:
        isvc = (await world.status()).stable.isvc
        from headgate_operator.controller.resources import INFERENCE_SERVICES

        await world.admin.patch(INFERENCE_SERVICES, "ml", isvc, {"spec": {"predictor": {"minReplicas": 7}}})

    immediate = 0
    for _ in range(12):
        await undo()
        assert await world.reconciler.look(KEY) == "written"
        if world.queue.depth:
            immediate += 1
            await world.queue.get()
            world.queue.done(KEY)
    assert 6 <= immediate <= 8
    assert world.queue._timers[KEY].when() - asyncio.get_running_loop().time() <= 1


async def test_an_object_that_is_gone_leaves_no_series_and_no_plans(world) -> None:
    await world.manifest()
    await world.settle()
    assert b'namespace="ml"' in world.telemetry.render()
    from headgate_operator.controller.resources import MODEL_DEPLOYMENTS

    obj = await world.get(MODEL_DEPLOYMENTS)
    await world.admin.delete(MODEL_DEPLOYMENTS, "ml", KEY[1], uid=obj["metadata"]["uid"])
    assert await world.reconciler.look(KEY) == "gone"
    assert b'namespace="ml"' not in world.telemetry.render()


async def test_what_is_on_record_is_logged_and_counted_even_if_a_child_was_changed_meanwhile(world, caplog) -> None:
    async def conflict() -> None:
        raise ConflictError("changed", 409)

    world.api.before[("apply", "HTTPRoute")] = conflict
    await world.manifest()
    with caplog.at_level(logging.INFO):
        await world.settle()
    assert b"headgate_promotions_total 1.0" in world.telemetry.render()
    assert sum(record.message.startswith("FirstRevision") for record in caplog.records) == 1


async def test_a_child_that_cannot_be_written_does_not_delay_the_next_look_beyond_what_the_rollout_needs(world) -> None:
    async def fail() -> None:
        raise UnavailableError("failed calling webhook", 500)

    await world.manifest()
    for _ in range(10):
        world.api.before[("apply", "ServingRuntime")] = fail
        world.queue._cancel_timer(KEY)
        assert await world.reconciler.look(KEY) == "error"
    assert world.queue._timers[KEY].when() - asyncio.get_running_loop().time() <= 2


async def test_metrics_tell_phases_promotions_and_results(world) -> None:
    await world.manifest()
    await world.settle()
    text = world.telemetry.render().decode()
    assert 'headgate_rollout_phase{name="flight-delay",namespace="ml",phase="Healthy"} 1.0' in text
    assert "headgate_promotions_total 1.0" in text
