"""A status without what no page shows, small enough to keep thousands of them: pinned manifests and the inner state of tests go."""

import json
import zlib
from typing import Final

from headgate_operator.api.model import changed
from headgate_operator.api.status import AnalysisStatus, ModelDeploymentStatus, Rendered

_NOTHING: Final = Rendered(inference_service={}, serving_runtime={})


def packed(status: ModelDeploymentStatus) -> bytes:
    """Return a status in few bytes, equal ones for what looks equal."""
    return _slim(status).model_dump_json(by_alias=True, exclude_none=True).encode()


def compressed(text: bytes) -> bytes:
    """Return what `packed` returned in a third of the room."""
    return zlib.compress(text, 1)


def unpacked(data: bytes) -> ModelDeploymentStatus:
    """Return what `compressed` returned as a status again."""
    return ModelDeploymentStatus.model_validate(json.loads(zlib.decompress(data)))


def _slim(status: ModelDeploymentStatus) -> ModelDeploymentStatus:
    return changed(
        status,
        candidate=changed(status.candidate, inputs={}, rendered=_NOTHING) if status.candidate is not None else None,
        history=[changed(entry, inputs={}, rendered=_NOTHING) for entry in status.history],
        analysis=_analysis(status.analysis) if status.analysis is not None else None,
        notices=[],
    )


def _analysis(analysis: AnalysisStatus) -> AnalysisStatus:
    return changed(analysis, samples=[], metrics=[changed(metric, mixture=None, promotion=[]) for metric in analysis.metrics])
