"""What finished windows saw, as JSON for people and plots: which features moved, in order, and how their values lay then and now."""

from typing import Any, Final

from pydantic import TypeAdapter

from headgate_monitor.watch.comparison import ComparisonState
from headgate_monitor.watch.deployment import DeploymentState
from headgate_monitor.watch.inputs import InputState
from headgate_monitor.watch.record import Compared, Moved, Record

_RECORDS: Final = TypeAdapter(tuple[Record, ...])
_MOVED: Final = TypeAdapter(tuple[Moved, ...])
_COMPARED: Final = TypeAdapter(tuple[Compared, ...])
_ALL: Final = TypeAdapter(dict[str, Any])


def windows_json(state: DeploymentState) -> bytes:
    """Return the answer to GET /v1/drift/<ModelDeployment>."""
    versions = {id_: _version(inputs) for id_, inputs in state.inputs.items()}
    compared = _compared(state.pair, state.comparison) if state.pair else None
    return _ALL.dump_json({"format": 1, "window": state.finished, "versions": versions, "comparison": compared})


def _version(inputs: InputState) -> dict[str, Any]:
    return {
        "reference": {"signal": inputs.alarm.signal, "message": inputs.alarm.message},
        "previous": {"signal": inputs.previous.signal, "message": inputs.previous.message},
        "features": _MOVED.dump_python(inputs.moved),
        "windows": _RECORDS.dump_python(inputs.records),
    }


def _compared(pair: tuple[str, str], state: ComparisonState) -> dict[str, Any]:
    return {
        "stable": pair[0],
        "trial": pair[1],
        "routing": {"signal": state.routing.signal, "message": state.routing.message},
        "prediction": {"signal": state.prediction.signal, "message": state.prediction.message},
        "quality": {"signal": state.quality.signal, "message": state.quality.message},
        "windows": _COMPARED.dump_python(state.records),
    }
