"""The monitor without HTTP: events and labels in, verdicts out. Used by one thread; the clock is handed in."""

import logging
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from headgate_monitor.collector.bodies import read_predictions, read_rows
from headgate_monitor.collector.errors import MalformedError
from headgate_monitor.collector.events import LARGEST_ID, Event
from headgate_monitor.collector.joining import Exchange, Joiner
from headgate_monitor.collector.labels import Label
from headgate_monitor.service.references import Found, References
from headgate_monitor.service.state import Kept, StateError, Store
from headgate_monitor.service.truths import LARGEST_PREDICTIONS, GroundTruths
from headgate_monitor.service.wire import Answer, Question, answer
from headgate_monitor.watch.deployment import DeploymentState, DeploymentWatch, Plan, Version
from headgate_monitor.watch.rows import Rows

_log = logging.getLogger(__name__)

LARGEST_DEPLOYMENTS: Final = 500
"""Beyond it, the one that was not asked about for longest is forgotten."""


@dataclass
class _Watched:
    question: Question
    found: tuple[Found, Found | None]
    """References of stable and of the trial, by identity."""
    watch: DeploymentWatch

    @property
    def kept(self) -> tuple[Question, DeploymentState]:
        return self.question, self.watch.state


class Engine:
    """Everything that is watched.

    Args:
        store: Where finished windows are kept; what it has is taken up.
        clock: Seconds since the epoch.
        predictions: How many predictions may wait for their labels.
    """

    def __init__(self, store: Store, clock: Callable[[], float], *, predictions: int = LARGEST_PREDICTIONS) -> None:
        self._store, self._clock = store, clock
        self._latest = 0.0
        self._references = References()
        self._joiner = Joiner()
        self._watched: OrderedDict[str, _Watched] = OrderedDict()
        self.counts: Counter[tuple[str, str]] = Counter()
        """Events by what became of them: (result, reason)."""
        self.truths = GroundTruths(store.ledger, limit=predictions)
        for kept in store.read():
            self._watched[kept.name] = self._begin(kept.question, kept.state)
            self.truths.follow(kept.name, kept.question.truth, self._now())
        self.truths.forget_others()

    @property
    def deployments(self) -> int:
        """How many ModelDeployments are watched."""
        return len(self._watched)

    @property
    def waiting(self) -> int:
        """How many events wait for their other half."""
        return len(self._joiner)

    @property
    def repeated(self) -> int:
        """How many events came again."""
        return self._joiner.repeated

    def states(self) -> dict[str, DeploymentState]:
        """Return what finished windows said, by ModelDeployment. Another thread may ask."""
        return {name: watched.watch.state for name, watched in list(self._watched.items())}

    def finished(self, name: str) -> DeploymentState | None:
        """Return what the finished windows of one ModelDeployment said; None if nobody asked about it."""
        watched = self._watched.get(name)
        return watched.watch.state if watched else None

    def take(self, events: Iterable[Event]) -> None:
        """Take events in; whatever they hold, they are counted and the rest goes on."""
        at = self._now()
        for event in events:
            if self._wanted(event) and (exchange := self._joiner.add(event, at)):
                self._exchange(exchange, at)

    def reject(self, error: MalformedError) -> None:
        """Count something that was no event."""
        self.counts["malformed", error.kind] += 1

    def tick(self) -> None:
        """Let time pass: halves of exchanges that waited too long, windows that are over."""
        at = self._now()
        for exchange in self._joiner.overdue(at):
            self.counts["alone", "request" if exchange.request else "response"] += 1
            if exchange.request is not None:  # failed requests have no response; a response alone may be to anything
                self._exchange(exchange, at)
        for name, watched in self._watched.items():
            if watched.watch.advance(at):
                self._save(name, watched)
            if watched.watch.other_clients:
                self.truths.distrust(name)
        self.truths.advance(at)

    def label(self, name: str, labels: Iterable[Label | MalformedError]) -> tuple[Counter[str], list[str]]:
        """Join labels with predictions, as `GroundTruths.label` does."""
        return self.truths.label(name, labels, self._now())

    def ask(self, name: str, question: Question) -> Answer:
        """Return what finished windows say about these versions; from now on their events are collected."""
        at = self._now()
        watched = self._watched.get(name)
        stable, trial = self._find(question, at)
        if watched is None or watched.found != (stable, trial) or _but_weight(watched.question) != _but_weight(question):
            state = watched.watch.state if watched else DeploymentState()
            watched = self._watched[name] = self._begin(question, state)
            self._bound()
            self._save(name, watched)
        elif watched.question.trial_weight != question.trial_weight:
            watched.watch.reweigh(question.trial_weight, at)
            watched.question = question
        elif watched.watch.advance(at):
            self._save(name, watched)
        self._watched.move_to_end(name)
        self.truths.follow(name, question.truth, at)
        return answer(question, watched.watch.verdicts(at), stable.digest, self.truths.say(name))

    def save(self) -> None:
        """Write everything, before the end."""
        for name, watched in self._watched.items():
            self._save(name, watched)
        self.truths.save()

    def _begin(self, question: Question, state: DeploymentState) -> _Watched:
        at = self._now()
        stable, trial = self._find(question, at)
        plan = Plan(
            stable=Version(question.stable.id, stable.reference, stable.problem),
            trial=Version(question.trial.id, trial.reference, trial.problem) if question.trial and trial else None,
            weight=question.trial_weight,
            windows=question.windows,
        )
        return _Watched(question, (stable, trial), DeploymentWatch(plan, at=at, state=state))

    def _find(self, question: Question, at: float) -> tuple[Found, Found | None]:
        trial = self._references.find(question.trial.reference, at) if question.trial else None
        return self._references.find(question.stable.reference, at), trial

    def _wanted(self, event: Event) -> bool:
        reason = "parity" if event.parity else self._unknown(event)
        self.counts[("ignored", reason) if reason else ("collected", "request" if event.is_request else "response")] += 1
        return not reason

    def _unknown(self, event: Event) -> str:
        watched = self._watched.get(event.deployment)
        return "deployment" if watched is None else "" if watched.watch.knows(event.version) else "version"

    def _exchange(self, exchange: Exchange, at: float) -> None:
        watched = self._watched.get(exchange.known.deployment)
        version = exchange.known.version
        if watched is None or not watched.watch.knows(version):  # both may have gone while it waited
            return
        (rows, body_id), predictions = self._rows(exchange.request), self._predictions(exchange.response)
        if rows is not None and predictions and len(predictions) != rows.count:
            self.counts["malformed", "unequal"] += 1
            predictions = []
        watched.watch.add(version, rows, predictions, at)
        if predictions and watched.question.ground_truth is not None:
            request = exchange.known.header(watched.question.ground_truth.join_on) or body_id or exchange.known.id
            self.truths.add(exchange.known.deployment, version, request[:LARGEST_ID], predictions, at)

    def _rows(self, request: Event | None) -> tuple[Rows | None, str]:
        """The rows, and the id in the body if there is one."""
        try:
            return read_rows(request.body) if request else (None, "")
        except MalformedError as error:
            self.reject(error)
            return None, ""

    def _predictions(self, response: Event | None) -> Sequence[float]:
        try:
            return read_predictions(response.body) if response else ()
        except MalformedError as error:
            self.reject(error)
            return ()

    def _bound(self) -> None:
        while len(self._watched) > LARGEST_DEPLOYMENTS:
            name, _ = self._watched.popitem(last=False)
            self._store.forget(name)
            self.truths.forget(name)

    def _save(self, name: str, watched: _Watched) -> None:
        """A full volume costs what a restart would need, not the verdicts."""
        try:
            self._store.save(Kept(name, *watched.kept))
        except StateError as error:
            self.counts["unsaved", "state"] += 1
            _log.warning("%s", error)

    def _now(self) -> float:
        """Return the time, which never runs backwards here, whatever the machine's clock does."""
        self._latest = max(self._latest, self._clock())
        return self._latest


def _but_weight(question: Question) -> Question:
    return question.model_copy(update={"trial_weight": 0})
