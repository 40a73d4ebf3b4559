"""N workers, each: take a key, observe, decide, act, say when to look again. Failures wait longer each time and are logged once.

A look that wrote something is followed by another at once, which reads back what became of it, unless nothing can have (`settled`).
"""

import asyncio
import functools
import logging
import random
import time
from collections.abc import Callable
from typing import Final

from headgate_operator.api.reasons import Reason
from headgate_operator.controller.act import Actor
from headgate_operator.controller.audit.log import AuditLog
from headgate_operator.controller.background import Background
from headgate_operator.controller.logs import one_pass
from headgate_operator.controller.observe import Key, Observer, OutdatedCrdError, Snapshot, UnreadableError
from headgate_operator.controller.settings import Settings
from headgate_operator.controller.telemetry import Telemetry
from headgate_operator.controller.web_view import WebView
from headgate_operator.controller.workqueue import QueueClosedError, WorkQueue
from headgate_operator.controller.writes import ChildRefusedError, Written
from headgate_operator.kube.protocol import ApiError, ConflictError
from headgate_operator.rollout.decide import decide
from headgate_operator.rollout.decision import Decision, Note
from headgate_operator.rollout.settled import settled

_WRITES_IN_A_ROW: Final = 8
"""Looks that wrote, one after the other, before we slow down: something undoes or ignores what we write."""

_log = logging.getLogger(__name__)


class Reconciler:
    """Works the queue off."""

    def __init__(
        self,
        queue: WorkQueue[Key],
        observer: Observer,
        actor: Actor,
        background: Background,
        *,
        settings: Settings,
        telemetry: Telemetry,
        view: WebView | None = None,
        audit: AuditLog | None = None,
        spread: Callable[[], float] = random.random,
    ) -> None:
        self._queue = queue
        self._observer = observer
        self._actor = actor
        self._background = background
        self._settings = settings
        self._telemetry = telemetry
        self._view = view
        self._audit = audit
        self._spread = spread
        self._workers: list[asyncio.Task[None]] = []
        self._writes: dict[Key, int] = {}
        self._complaints: dict[Key, str] = {}

    def start(self) -> None:
        """Start the workers."""
        self._workers = [asyncio.create_task(self._work(), name=f"worker {number}") for number in range(self._settings.workers)]

    async def stop(self, patience: float) -> None:
        """Take no more work; let looks under way finish within `patience` seconds."""
        self._queue.close()
        if not self._workers:
            return
        _, late = await asyncio.wait(self._workers, timeout=patience)
        for worker in late:
            worker.cancel()
        if late:
            _log.warning("%d looks were still under way after %g s and are given up", len(late), patience)
            await asyncio.gather(*late, return_exceptions=True)

    async def _work(self) -> None:
        while True:
            try:
                key, waited = await self._queue.get()
            except QueueClosedError:
                return
            self._telemetry.queue_wait.observe(waited)
            started = time.perf_counter()
            try:
                result = await self.look(key)
            finally:
                self._queue.done(key)
            self._telemetry.pass_seconds.observe(time.perf_counter() - started)
            self._telemetry.passes.labels(result).inc()

    async def look(self, key: Key) -> str:
        """Do one pass and plan the next; return its result for the metrics. Never raises."""
        with one_pass(*key):
            return await self._look(key)

    async def _look(self, key: Key) -> str:
        try:
            snapshot = await self._observer.observe(key)
            if snapshot is None:
                self._forget(key)
                return "gone"
            if await self._actor.adopt(snapshot):
                self._plan(key, wrote=True)
                return "written"
            decision = decide(snapshot.observed)
            self._observer.fleet.report(key, decision.status, snapshot.observed.now)
            written = await self._actor.act(snapshot, decision, on_record=functools.partial(self._recorded, key, snapshot, decision))
            more = bool(written) and not self._is_settled(key, snapshot, decision, written)
        except ConflictError as error:
            _log.debug("somebody else wrote in between, looking again: %s", error)
            self._queue.backoff(key)
            return "conflict"
        except OutdatedCrdError as error:
            if self._complaints.get(key) != str(error):
                await self._actor.tell(error.subject, Note(reason=Reason.CRD_OUTDATED, message=str(error), warning=True), error.at)
            self._complain(key, str(error), exception=None)
            return "error"
        except ChildRefusedError as error:
            self._observer.refused[key] = error.revisions
            self._complain(key, str(error), exception=None)
            return "error"
        except (ApiError, UnreadableError) as error:
            self._complain(key, str(error), exception=None)
            return "error"
        except Exception as error:  # noqa: BLE001 (one broken object must not stop the others)
            self._complain(key, f"{type(error).__name__}: {error}", exception=error)
            return "error"
        self._observer.refused.pop(key, None)
        self._plan(key, wrote=more)
        return "written" if written else "unchanged"

    def _is_settled(self, key: Key, snapshot: Snapshot, decision: Decision, written: Written) -> bool:
        """Whether nothing that was written is to be read back; then plan the look that the rollout needs next."""
        if Written.MORE in written:
            return False
        again = settled(snapshot.observed, decision)
        if again is None:
            return False
        self._wake(key, again)
        return True

    def _recorded(self, key: Key, snapshot: Snapshot, decision: Decision) -> None:
        """Tell of a decision and plan the look it asks for: a child that cannot be written must not delay the next verdict."""
        self._tell(key, snapshot, decision)
        if self._audit is not None:
            self._audit.tell(key, snapshot.observed.subject, snapshot.observed.status, decision.status)
        self._background.recorded(key, snapshot.observed, decision)
        self._wake(key, decision)

    def _wake(self, key: Key, decision: Decision) -> None:
        if decision.requeue_after is not None:
            self._queue.add_after(key, max(0.0, decision.requeue_after.total_seconds()))

    def _plan(self, key: Key, *, wrote: bool) -> None:
        self._queue.succeeded(key)
        if self._complaints.pop(key, None):
            _log.info("works again")
        resync = self._settings.resync.total_seconds()
        self._queue.add_after(key, resync * (1 + self._spread() / 5))
        if wrote:
            self._writes[key] = self._writes.get(key, 0) + 1
            if self._writes[key] <= _WRITES_IN_A_ROW:
                self._queue.add(key, first=True)
            else:
                self._queue.add_after(key, 1.0)
        else:
            self._writes.pop(key, None)

    def _tell(self, key: Key, snapshot: Snapshot, decision: Decision) -> None:
        for note in decision.notes:
            level = logging.WARNING if note.warning else logging.INFO
            _log.log(level, "%s: %s", note.reason, note.message, extra={"reason": str(note.reason), "revision": note.revision})
        observed = snapshot.observed
        counted = [scrape.at for scrape in observed.reading.scrapes] if observed.reading is not None else []
        self._telemetry.report(
            key, observed.status, decision.status, owner=observed.spec.owner, now=observed.now, counted_at=max(counted, default=None)
        )

        if self._view is not None:
            self._view.saw(key, observed, decision)

    def _complain(self, key: Key, message: str, *, exception: Exception | None) -> None:
        """Log a failure once, with its traceback if it is a bug of ours; repetitions only count."""
        delay = self._queue.backoff(key)
        self._telemetry.retries.inc()
        if self._view is not None:
            self._view.failed(key, message)
        if self._complaints.get(key) != message:
            self._complaints[key] = message
            _log.error("%s; next try in %.1f s", message, delay, exc_info=exception)

    def _forget(self, key: Key) -> None:
        self._queue.forget(key)
        self._observer.forget(key)
        self._background.forget(key)
        if self._audit is not None:
            self._audit.forget(key)
        self._writes.pop(key, None)
        self._complaints.pop(key, None)
        self._telemetry.forget(key)
        if self._view is not None:
            self._view.forget(key)
