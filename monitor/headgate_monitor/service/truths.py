"""Ground truth of all ModelDeployments that have any: who is followed, how much is kept, and what became of labels."""

import logging
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from pydantic import ValidationError

from headgate_monitor.collector.errors import MalformedError
from headgate_monitor.collector.labels import Label
from headgate_monitor.service.ledger import Ledger
from headgate_monitor.service.truth import STATE, Truth, TruthPlan, Truths, TruthState

_log = logging.getLogger(__name__)

LARGEST_PREDICTIONS: Final = 500_000
"""Kept at most, of all ModelDeployments together; beyond it the largest gives up half of its ids."""

_SHOWN_PROBLEMS: Final = 10


class UnwantedError(Exception):
    """Nobody asked for labels of this ModelDeployment; the message says so in one sentence."""


class LedgerError(Exception):
    """Labels cannot be written; the message says so in one sentence."""


class GroundTruths:
    """Everything that is known by labels. Used by one thread; `counts` and `shown` may be read by others.

    Args:
        ledger: What it has is taken up.
        limit: How many predictions are kept at most.
    """

    def __init__(self, ledger: Ledger, *, limit: int = LARGEST_PREDICTIONS) -> None:
        self._ledger, self._limit = ledger, limit
        self._truths: dict[str, Truth] = {}
        self._saved = ledger.states()
        self._kept = sum(ledger.sizes().values())
        self.counts: Counter[str] = Counter()
        """Labels by what became of them."""
        self.shown: dict[str, Truths] = {}
        """What labels say, by ModelDeployment."""

    @property
    def kept(self) -> int:
        """About how many predictions wait for labels; never fewer than do."""
        return self._kept

    def follow(self, name: str, plan: TruthPlan | None, at: float) -> None:
        """Keep the predictions that the plan is about; without a plan, forget everything about the ModelDeployment."""
        truth = self._truths.get(name)
        if plan is None:
            self._saved.pop(name, None)
            if truth is not None:
                self.forget(name)
        elif truth is None:
            truth = self._truths[name] = Truth(name, self._ledger, plan, at=at, state=_state(name, self._saved.pop(name, None)))
            self._show(name, truth)
        elif truth.plan != plan:
            with self._guarded():
                truth.follow(plan, at)
                truth.save()
            self._show(name, truth)

    def forget_others(self) -> None:
        """Drop what is on the volume about ModelDeployments that nobody follows."""
        for name in list(self._saved):
            self.forget(name)

    def add(self, name: str, version: str, request: str, predictions: Sequence[float], at: float) -> None:
        """Keep what a version answered, if labels are wanted."""
        if (truth := self._truths.get(name)) is not None:
            truth.add(version, request, predictions, at)

    def label(self, name: str, labels: Iterable[Label | MalformedError], at: float) -> tuple[Counter[str], list[str]]:
        """Join labels; return how many came to what, and what was wrong with the first that were malformed.

        Raises:
            UnwantedError: nobody asked for labels of this ModelDeployment.
            LedgerError: the volume is full or gone; nothing was taken.
        """
        labels = list(labels)
        truth = self._truths.get(name)
        if truth is None:
            self.counts["unwanted"] += len(labels)
            raise UnwantedError(f"no operator asked for labels of {name}: its manifest has no groundTruth, or this monitor is not its own")
        good = [label for label in labels if isinstance(label, Label)]
        problems = [str(one) for one in labels if isinstance(one, MalformedError)]
        try:
            self._kept += truth.flush()
            found = self._ledger.label(name, good, at, truth.state.share)
        except sqlite3.Error as error:
            raise LedgerError(f"labels cannot be written: {error}") from error
        found["malformed"] += len(problems)
        self.counts.update(found)
        return found, problems[:_SHOWN_PROBLEMS]

    def advance(self, at: float) -> None:
        """Write what was kept, and let time pass."""
        for name, truth in self._truths.items():
            with self._guarded():
                self._kept += truth.flush()
                if truth.advance(at):
                    self._show(name, truth)
        if self._kept > self._limit:
            with self._guarded():
                self._bound()

    def say(self, name: str) -> Truths | None:
        """Return what labels say; None if nobody asked for any."""
        return self.shown.get(name)

    def distrust(self, name: str) -> None:
        """Compare nothing that was not compared yet: the versions get requests of different kinds."""
        if (truth := self._truths.get(name)) is not None:
            truth.distrust()

    def forget(self, name: str) -> None:
        """Drop everything about a ModelDeployment."""
        self._truths.pop(name, None)
        self._saved.pop(name, None)
        self.shown = {other: truths for other, truths in self.shown.items() if other != name}
        with self._guarded():
            self._ledger.forget(name)

    def save(self) -> None:
        """Write everything, before the end."""
        for truth in self._truths.values():
            with self._guarded():
                truth.flush()
                truth.save()

    def _show(self, name: str, truth: Truth) -> None:
        self.shown = {**self.shown, name: truth.truths()}  # another object: a reader in another thread goes on with the old one

    def _bound(self) -> None:
        sizes = self._ledger.sizes()
        while (total := sum(sizes.values())) > self._limit:
            largest = max(sizes, key=lambda name: sizes[name])
            if largest in self._truths and self._truths[largest].state.share > 1:
                self._truths[largest].thin()
            else:
                self._ledger.forget(largest)
            sizes = self._ledger.sizes()
        self._kept = total

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """A full volume costs labels, never drift verdicts."""
        try:
            yield
        except sqlite3.Error as error:
            self.counts["unsaved"] += 1
            _log.warning("ground truth cannot be written: %s", error)


def _state(name: str, saved: bytes | None) -> TruthState | None:
    if saved is None:
        return None
    try:
        return STATE.validate_json(saved)
    except ValidationError as error:
        _log.warning("what labels said of %s is forgotten, another version wrote it: %s", name, error.errors()[0]["msg"])
        return None
