"""What happens in the demo, in order."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import yaml

from headgate_devcluster.apiclient import ApiClient
from headgate_devcluster.demo.cluster_process import cluster_process
from headgate_devcluster.demo.manifest import HOST, NAME, NAMESPACE, REQUEST_TIMEOUT_SECONDS, golden_config_map, model_deployment
from headgate_devcluster.demo.outcome import Ending, RolloutOutcome, Summary, verdict
from headgate_devcluster.demo.recorder import Recorder
from headgate_devcluster.demo.replay import Replay, Row
from headgate_devcluster.demo.training import RECIPES, Recipe, Trained, train
from headgate_devcluster.demo.view import View
from headgate_devcluster.lock import ClusterFacts
from headgate_pipelines import flights

Found = TypeVar("Found")

FIRST_DEADLINE_SECONDS: Final = 90
VERDICT_DEADLINE_SECONDS: Final = 300
WATCH_DEADLINE_SECONDS: Final = 120
POLL_SECONDS: Final = 0.25
FIELD_MANAGER: Final = "kubectl"
CLIENT_TIMEOUT_SECONDS: Final = 2 * REQUEST_TIMEOUT_SECONDS


class StoryError(Exception):
    """Something the story needs did not happen; the message says what."""


@dataclass(frozen=True)
class Options:
    """What a user can choose."""

    folder: Path
    rate: float
    keep: bool


class Story:
    """One run of the demo. `tell` runs it to the end; cancelling it leaves no process behind."""

    def __init__(self, options: Options, view: View, recorder: Recorder) -> None:
        self._options, self._view, self._recorder = options, view, recorder
        self.summary = Summary()
        self._awaited: int | None = None
        """The version whose training the story waits for; that of others goes on unsaid."""

    async def tell(self) -> ClusterFacts:
        """Run the demo; the summary fills as it goes."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(_running(self._tick()))
            cluster, first, rows = await self._prepare(stack)
            api = await stack.enter_async_context(ApiClient(cluster.api_url))
            await stack.enter_async_context(_running(self._watch(api)))
            await self._serve_first(api, first)
            replay = await self._start_traffic(stack, cluster, rows)
            trainings = await stack.enter_async_context(_queue_trainings(self._train_quietly))
            for recipe in RECIPES[1:]:
                await self._roll_out(api, recipe, trainings[recipe.version])
            replay.stop()
            self._count()
            return cluster

    async def _prepare(self, stack: AsyncExitStack) -> tuple[ClusterFacts, Trained, list[Row]]:
        """Train the first version and look up July's flights while the cluster comes up."""
        self._view.say(f"training version 1 ({RECIPES[0].story}) while the cluster comes up")
        self._awaited = 1
        with self._phase("cluster and version 1"):
            training = train(RECIPES[0], self._options.folder, low_priority=False, progress=self._say_training(1))
            first, cluster, rows = await asyncio.gather(training, self._start_cluster(stack), asyncio.to_thread(_july_and_later))
        return cluster, first, rows

    async def _start_cluster(self, stack: AsyncExitStack) -> ClusterFacts:
        cluster = await stack.enter_async_context(cluster_process(self._options.folder / "cluster", keep=self._options.keep))
        self._view.say(f"the cluster is up: KUBECONFIG={cluster.kubeconfig}, gateway {cluster.gateway_url}")
        return cluster

    async def _serve_first(self, api: ApiClient, trained: Trained) -> None:
        with self._phase("first version serves"):
            await self._apply(api, trained)
            await self._until(
                lambda: any(part.weight == 100 for part in self._recorder.status.traffic),
                FIRST_DEADLINE_SECONDS,
                "version 1 to take all traffic",
            )

    async def _start_traffic(self, stack: AsyncExitStack, cluster: ClusterFacts, rows: list[Row]) -> Replay:
        """Replay July from now on, until the story ends."""
        replay = Replay(
            f"{cluster.gateway_url}/v2/models/{NAME}/infer",
            host=HOST,
            rows=itertools.cycle(rows),
            categories=frozenset(flights.CATEGORIES),
            rate=self._options.rate,
            timeout=CLIENT_TIMEOUT_SECONDS,
        )
        if not await replay.wait_until_served(FIRST_DEADLINE_SECONDS):
            raise StoryError(f"the gateway at {cluster.gateway_url} did not serve {HOST} within {FIRST_DEADLINE_SECONDS} s")
        self._recorder.tally = replay.tally
        await stack.enter_async_context(_running(replay.run()))
        self._view.say(f"replaying the flights of July 2013 in time order, {self._options.rate:g} requests a second")
        return replay

    async def _roll_out(self, api: ApiClient, recipe: Recipe, training: "asyncio.Future[Trained]") -> None:
        with self._phase(f"waiting for version {recipe.version}'s training"):
            self._awaited = recipe.version
            trained = await training
        if recipe.version == 2:
            self.summary.metrics = {name: trained.metrics[name] for name in ("rocAuc", "prAuc")}
        self._view.say(f"applying version {recipe.version}: {recipe.story}")
        with self._phase(f"rollout of version {recipe.version}"):
            outcome = await self._judge(api, trained)
        self.summary.rollouts.append(outcome)
        why = "" if outcome.outcome is Ending.PROMOTED else f" ({outcome.reason})"
        self._view.say(f"version {recipe.version}: {outcome.outcome.value}{why} after {outcome.seconds:.0f} s")
        with self._phase(f"settling after version {recipe.version}"):
            await self._until(self._settled, WATCH_DEADLINE_SECONDS, "the rollout to settle")

    async def _judge(self, api: ApiClient, trained: Trained) -> RolloutOutcome:
        """Apply a version and wait for the operator's verdict."""
        began = self._recorder.elapsed
        await self._apply(api, trained)
        said = await self._until(
            lambda: verdict(self._recorder.status, trained.uri), VERDICT_DEADLINE_SECONDS, f"a verdict on version {trained.version}"
        )
        requests = self._recorder.tally.requests[said.revision]
        return RolloutOutcome(
            version=trained.version,
            revision=said.revision,
            outcome=Ending.PROMOTED if said.promoted else Ending.ROLLED_BACK if requests else Ending.REJECTED,
            reason=said.reason,
            message=said.message,
            candidate_requests=requests,
            candidate_bad=self._recorder.tally.bad[said.revision],
            seconds=self._recorder.elapsed - began,
            began=began,
        )

    def _settled(self) -> bool:
        """No candidate, no watch, and all traffic on one version."""
        status = self._recorder.status
        return status.candidate is None and status.previous is None and [part.weight for part in status.traffic if part.weight] == [100]

    async def _apply(self, api: ApiClient, trained: Trained) -> None:
        """Apply the golden set before the manifest that names it, and leave the manifest for the user to read.

        As `kubectl apply --server-side` would, under its name, so that a user can go on with it without conflicts.
        """
        manifest = model_deployment(trained.version, trained.uri)
        text = yaml.safe_dump(manifest, sort_keys=False, default_flow_style=None, width=120)
        (self._options.folder / f"flight-delay-{trained.version}.yaml").write_text(text)
        if trained.version == 1:
            self._view.show(text)
        await api.apply(golden_config_map(trained.version, trained.golden), field_manager=FIELD_MANAGER)
        await api.apply(manifest, field_manager=FIELD_MANAGER)

    async def _train_quietly(self, recipe: Recipe) -> Trained:
        self._view.say(f"training version {recipe.version} at low priority: {recipe.story}")
        trained = await train(recipe, self._options.folder, low_priority=True, progress=self._say_training(recipe.version))
        if recipe.version == 4:
            return Trained(4, await asyncio.to_thread(flights.break_base_score, trained.export, trained.export.parents[1]), trained.metrics)
        return trained

    def _say_training(self, version: int) -> Callable[[str], None]:
        def say(words: str) -> None:
            if version == self._awaited:
                self._view.say(f"version {version}: {words}")

        return say

    async def _watch(self, api: ApiClient) -> None:
        """Follow the ModelDeployment and its Events."""
        await asyncio.gather(self._follow_status(api), self._follow_events(api))

    async def _follow_status(self, api: ApiClient) -> None:
        async for _, obj in api.watch("headgate.dev/v1alpha1", "modeldeployments", NAMESPACE):
            if obj["metadata"]["name"] == NAME:
                self._recorder.saw_status(obj)

    async def _follow_events(self, api: ApiClient) -> None:
        async for kind, obj in api.watch("events.k8s.io/v1", "events", NAMESPACE):
            told = self._recorder.saw_event(obj) if kind != "DELETED" else None
            if told:
                self._view.tell(told)

    async def _tick(self) -> None:
        while True:
            self._recorder.sample()
            self._view.refresh()
            await asyncio.sleep(1)

    async def _until(self, found: Callable[[], Found | None], seconds: float, what: str) -> Found:
        """Wait until `found` returns something true, and return it."""
        deadline = time.monotonic() + seconds
        while not (result := found()):
            if time.monotonic() > deadline:
                raise StoryError(
                    f"gave up after {seconds:.0f} s of waiting for {what}; the operator says: {self._conditions() or 'nothing'}"
                )
            await asyncio.sleep(POLL_SECONDS)
        return result

    def _conditions(self) -> str:
        return "; ".join(
            f"{part.type.value}={part.status.value} {part.reason}: {part.message}" for part in self._recorder.status.conditions
        )

    def _count(self) -> None:
        """Take the clients' numbers into the summary."""
        tally = self._recorder.tally
        blamed = next((rollout.revision for rollout in self.summary.rollouts if rollout.version == 3), "")
        self.summary.requests = tally.requests.total()
        self.summary.errors_from_other_causes = tally.errors_from_other_causes(blamed)
        self.summary.causes = dict(tally.causes)

    @contextmanager
    def _phase(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        try:
            yield
        finally:
            self.summary.seconds[name] = time.monotonic() - began


@asynccontextmanager
async def _running(work: Any) -> AsyncIterator[None]:
    """Run `work` beside the body; if it fails, so does the body."""
    body = asyncio.current_task()
    task = asyncio.ensure_future(work)

    def fail(done: "asyncio.Task[Any]") -> None:
        if not done.cancelled() and done.exception() and body:
            body.cancel()

    task.add_done_callback(fail)
    try:
        yield
    except asyncio.CancelledError:
        if task.done() and not task.cancelled() and (error := task.exception()):
            raise error from None
        raise
    finally:
        task.remove_done_callback(fail)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def _queue_trainings(train_one: Callable[[Recipe], Any]) -> AsyncIterator[dict[int, "asyncio.Future[Trained]"]]:
    """Train one version after the other; hand out a future for each, so that a rollout waits only for its own."""
    loop = asyncio.get_running_loop()
    futures: dict[int, asyncio.Future[Trained]] = {recipe.version: loop.create_future() for recipe in RECIPES[1:]}

    async def work() -> None:
        for recipe in RECIPES[1:]:
            try:
                futures[recipe.version].set_result(await train_one(recipe))
            except Exception as error:  # noqa: BLE001 - handed to whoever waits for it
                futures[recipe.version].set_exception(error)
                return

    try:
        async with _running(work()):
            yield futures
    finally:
        for future in futures.values():
            if not future.cancel():
                future.exception()  # seen, so that asyncio does not complain about it after the story's own error


def _july_and_later() -> list[Row]:
    """Every request of July in time order; August only if somebody waits that long."""
    return [request.features for request in flights.requests(flights.load(), first_month=7, last_month=8)]
