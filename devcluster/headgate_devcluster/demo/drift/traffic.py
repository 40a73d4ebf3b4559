"""The monitor's engine under a simulated clock, fed with the events that KServe's logger would have sent."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
import pandas as pd

from headgate_devcluster.demo.drift.models import Version, raw
from headgate_monitor.collector.events import Event
from headgate_monitor.service.engine import Engine
from headgate_monitor.service.state import Store
from headgate_monitor.service.wire import Answer, Question
from headgate_monitor.watch.deployment import DeploymentState
from headgate_pipelines import flights

NAME: Final = "flight-delay"


class Monitor:
    """One engine that watches one ModelDeployment; `now` is its time, in seconds since the epoch."""

    def __init__(self, engine: Engine, clock: list[float], stable: Version, trial: Version, policy: dict[str, Any]) -> None:
        self._engine, self._clock, self._stable, self._trial, self._policy = engine, clock, stable, trial, policy
        self._sent = 0

    @property
    def engine(self) -> Engine:
        """What the operator and the loggers talk to."""
        return self._engine

    @property
    def state(self) -> DeploymentState:
        """What finished windows saw."""
        state = self._engine.finished(NAME)
        assert state is not None
        return state

    def ask(self, weight: int) -> Answer:
        """Ask as the operator does, with the trial at this weight."""
        versions = {side: {"id": one.name, "reference": one.reference.as_uri()} for side, one in
                    (("stable", self._stable), ("trial", self._trial))}  # fmt: skip
        return self._engine.ask(NAME, Question.model_validate({**versions, "trialWeight": weight, **self._policy}))

    def pass_time(self, moment: pd.Timestamp) -> None:
        """Go on to a moment; windows that are over end."""
        self._clock[0] = seconds(moment)
        self._engine.tick()

    def send(self, version: Version, table: pd.DataFrame, positions: Any) -> str:
        """Send the request for these rows of the table and the version's answer; return the request's id."""
        self._sent += 1
        id_ = f"{version.name}-{self._sent}"
        frame = table.iloc[positions]
        inputs = [
            {
                "name": name,
                "shape": [len(frame)],
                "datatype": "BYTES" if name in flights.CATEGORIES else "FP64",
                "data": raw(frame, name),
            }
            for name in flights.FEATURES
        ]
        answers = version.predictions[positions]
        output = {"name": "probability", "shape": [len(answers)], "datatype": "FP64", "data": answers.tolist()}
        for is_request, body in ((True, {"inputs": inputs}), (False, {"model_name": NAME, "outputs": [output]})):
            self._engine.take([Event(NAME, version.name, id_, is_request, orjson.dumps(body))])
        return id_


@contextmanager
def monitor(folder: Path, begin: pd.Timestamp, *, stable: Version, trial: Version, policy: dict[str, Any]) -> Iterator[Monitor]:
    """Run an engine from a moment on."""
    clock = [seconds(begin)]
    with Store(folder) as store:
        yield Monitor(Engine(store, lambda: clock[0]), clock, stable, trial, policy)


def seconds(moment: pd.Timestamp) -> float:
    """Seconds since the epoch of the table's times, which are UTC."""
    return float(moment.tz_localize(UTC).timestamp())


def batches(table: pd.DataFrame, time: str, hours: int) -> Iterator[tuple[pd.Timestamp, Any]]:
    """The positions of the rows of each so many hours, in order, and when these were over.

    Args:
        table: In the order of `time`.
        time: The column with the moment of each row.
        hours: How long a batch is.
    """
    buckets = table[time].dt.floor(f"{hours}h")
    ends = np.flatnonzero(buckets.to_numpy()[1:] != buckets.to_numpy()[:-1]) + 1
    for positions in np.split(np.arange(len(table)), ends):
        yield buckets.iloc[positions[0]] + pd.Timedelta(hours=hours), positions


def split(count: int, weight: int, random: np.random.Generator) -> Iterator[tuple[bool, Any]]:
    """Route rows by weight: (of the trial, their positions), leaving out a side without any."""
    to_trial = random.random(count) * 100 < weight
    for of_trial in (False, True):
        positions = np.flatnonzero(to_trial == of_trial)
        if len(positions):
            yield of_trial, positions
