"""What finished windows saw, as JSON for people and plots: which features moved, in order, and how their values lay then and now."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import TypeAdapter

from headgate_monitor.watch.alarm import Alarm, Outcome
from headgate_monitor.watch.comparison import ComparisonState
from headgate_monitor.watch.deployment import DeploymentState
from headgate_monitor.watch.inputs import InputState
from headgate_monitor.watch.record import Compared, Moved, Record


@dataclass(frozen=True)
class Seen:
    """One version's requests, or its predictions: verdicts, the features of the last window, and the last windows."""

    reference: Outcome
    previous: Outcome
    features: tuple[Moved, ...]
    windows: tuple[Record, ...]


@dataclass(frozen=True)
class Beside:
    """The trial beside stable: verdicts, and the last windows."""

    stable: str
    trial: str
    routing: Outcome
    prediction: Outcome
    quality: Outcome
    windows: tuple[Compared, ...]


@dataclass(frozen=True)
class Windows:
    """All of one ModelDeployment; `window` is how many windows ended."""

    format: Literal[1]
    window: int
    versions: Mapping[str, Seen]
    predictions: Mapping[str, Seen]
    """By version, where its reference has predictions."""
    comparison: Beside | None


_WINDOWS: Final = TypeAdapter(Windows)


def windows_json(state: DeploymentState) -> bytes:
    """Return the answer to GET /v1/drift/<ModelDeployment>."""
    versions = {id_: _seen(inputs) for id_, inputs in state.inputs.items()}
    predictions = {id_: _seen(outputs) for id_, outputs in state.outputs.items()}
    beside = _beside(state.pair, state.comparison) if state.pair else None
    return _WINDOWS.dump_json(Windows(1, state.finished, versions, predictions, beside))


def _seen(inputs: InputState) -> Seen:
    return Seen(_said(inputs.alarm), _said(inputs.previous), inputs.moved, inputs.records)


def _beside(pair: tuple[str, str], state: ComparisonState) -> Beside:
    return Beside(*pair, _said(state.routing), _said(state.prediction), _said(state.quality), state.records)


def _said(alarm: Alarm) -> Outcome:
    return Outcome(alarm.signal, alarm.message)
