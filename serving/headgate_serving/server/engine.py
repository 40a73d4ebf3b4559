"""From a matrix to its answer: remembered, predicted with others, or, where one is wanted, a fallback in time."""

import asyncio
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from headgate_serving.model import ExportedModel, ModelError
from headgate_serving.server.batching import Answer, Batcher, Matrix
from headgate_serving.server.cache import MOST_ROWS, Cache
from headgate_serving.server.metrics import Meter
from headgate_serving.server.options import PRIOR, Options

BASE_RATE = "baseRate"
"""The metric of an export that is its prior: the share of positive labels among the rows it was evaluated on."""

_log = logging.getLogger("headgate.serving")


@dataclass(frozen=True)
class Answered:
    """One answer a row, and why it is the fallback if it is."""

    values: Answer
    fallback: str | None = None


class Engine:
    """One model's predictions under the options of its server."""

    def __init__(self, model: ExportedModel, options: Options, meter: Meter) -> None:
        """Prepare; predicts once, because the first prediction is slow and a wrong model must not get ready.

        Raises:
            ModelError: the model does not answer as it must, or a fallback is wanted that it cannot have.
        """
        self._model, self._options, self._meter = model, options, meter
        first = model.predict({name: [None] for name in model.features.names})
        self._prior = prior(model, first, options)
        # One prediction at a time: two would only share the core. Large requests have a worker of their own.
        self._large = ThreadPoolExecutor(1, "large")
        worker = ThreadPoolExecutor(1, "small") if options.time_budget is not None else None
        self._batcher = Batcher(self._predict, rows=options.batch_rows, delay=options.batch_delay, worker=worker)
        cached = options.cache_ttl > 0
        self._cache = Cache(ttl=options.cache_ttl, entries=options.cache_entries, clock=time.monotonic) if cached else None

    async def answer(self, matrix: Matrix, *, arrived: float) -> Answered:
        """The answer to encoded rows of a request that arrived at `arrived` of the event loop's clock.

        Raises:
            Exception: whatever the model raises, where there is no fallback.
        """
        started = time.perf_counter()
        answered = await self._in_time(matrix, arrived)
        self._meter.predict_seconds.observe(time.perf_counter() - started)
        self._meter.answer(len(matrix), answered.fallback)
        return answered

    def fallback(self, rows: int, reason: str) -> Answered | None:
        """The fallback for so many rows, if there is one."""
        return None if self._prior is None else Answered(np.full(rows, self._prior), reason)

    async def contributions(self, matrix: Matrix) -> Answer:
        """What each feature adds to the margin, the bias last."""
        loop = asyncio.get_running_loop()
        with self._meter.explain_seconds.time():
            return await loop.run_in_executor(self._large, self._model.contributions, matrix)

    async def _in_time(self, matrix: Matrix, arrived: float) -> Answered:
        if self._prior is None:
            return Answered(await self._remembered(matrix))
        budget = self._options.time_budget
        try:
            async with asyncio.timeout_at(None if budget is None else arrived + budget):
                return Answered(await self._remembered(matrix))
        except TimeoutError:
            reason = "late"
        except Exception:  # noqa: BLE001 - whatever the model raises, an answer is due
            _log.exception("a prediction failed; the fallback is answered")
            reason = "failed"
        return Answered(np.full(len(matrix), self._prior), reason)

    async def _remembered(self, matrix: Matrix) -> Answer:
        if self._cache is None or len(matrix) > MOST_ROWS:
            return await self._predicted(matrix)
        key = matrix.tobytes()
        found = self._cache.get(key)
        self._meter.looked_up(hit=found is not None)
        if found is None:
            found = await self._predicted(matrix)
            self._cache.put(key, found)
        return found

    async def _predicted(self, matrix: Matrix) -> Answer:
        if len(matrix) <= self._options.batch_rows:
            return await self._batcher.ask(matrix)
        return await asyncio.get_running_loop().run_in_executor(self._large, self._predict, matrix)

    def _predict(self, matrix: Matrix) -> Answer:
        self._meter.batch_rows.observe(len(matrix))
        return self._model.answer(matrix)


def prior(model: ExportedModel, first: Answer, options: Options) -> float | None:
    """The number a fallback answers.

    Raises:
        ModelError: the export records none, or the model answers several numbers a row.
    """
    if options.fallback is None:
        return None
    if first.ndim != 1:
        raise ModelError(f"the model answers {first.shape[1]} numbers a row, a fallback is one; serve it without")
    if options.fallback != PRIOR:
        return float(options.fallback)
    found = (model.metadata.get("metrics") or {}).get(BASE_RATE)
    if not isinstance(found, int | float) or not 0 <= found <= 1:
        raise ModelError(f"the export records no metric {BASE_RATE}, which is its prior; give --fallback a number")
    return float(found)
