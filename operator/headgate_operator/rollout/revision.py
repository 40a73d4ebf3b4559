"""What a revision is: everything that reaches a pod, as the manifest says it, and its id.

An upgrade of the operator must never change an id, so no default of today's code is hashed: only fields that the manifest sets. Whether
two revisions are the *same* is another question and is answered with today's code, defaults filled in (`same`).
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from headgate_operator.api.spec import ModelDeploymentSpec, Protocol
from headgate_operator.api.status import Candidate, HistoryEntry
from headgate_operator.rollout.observed import Observed, Wanted


def revision_inputs(spec: ModelDeploymentSpec, *, uri: str) -> dict[str, Any]:
    """Return what reaches a revision's pods: the model at its resolved URI, the predictor without its replica bounds, and the logger.

    An alias of a registry is only a way to the URI: written out in the manifest, the same URI is the same revision.
    """
    model = _explicit(spec.model.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude={"registry"})) | {"uri": uri}
    predictor = _explicit(spec.predictor.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude={"replicas"}))
    parts = {"model": model, "predictor": predictor, "logger": spec.observes_payloads}
    return {name: part for name, part in parts.items() if part}


def revision_id(inputs: Mapping[str, Any]) -> str:
    """Return `r` and eight hex digits. The letter keeps YAML readers from taking `12345e67` for a number."""
    canonical = json.dumps(inputs, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return "r" + hashlib.sha256(canonical.encode()).hexdigest()[:8]


def same(one: Mapping[str, Any], other: Mapping[str, Any], *, name: str) -> bool:
    """Whether two revisions of the ModelDeployment `name` run the same pods: what is left out equals its default written out."""
    return _normalised(one, name) == _normalised(other, name)


def recognise(observed: Observed) -> Wanted:
    """Return the wanted revision under the id and name it already has, if it is the candidate or was promoted before."""
    wanted, status = observed.wanted, observed.status
    known: list[Candidate | HistoryEntry] = [*([status.candidate] if status.candidate else []), *status.history]
    for revision in known:
        if revision.id == wanted.id or same(revision.inputs, wanted.inputs, name=observed.subject.name):
            return replace(wanted, id=revision.id, isvc=revision.isvc)
    return wanted


def _explicit(fields: dict[str, Any]) -> dict[str, Any]:
    """Drop nulls: the API server drops most of them too, but not on every path."""
    return {key: value for key, value in fields.items() if value is not None}


def _normalised(inputs: Mapping[str, Any], name: str) -> dict[str, Any]:
    model = {"protocol": Protocol.V2.value, "modelName": name} | dict(inputs.get("model", {}))
    predictor = {key: value for key, value in inputs.get("predictor", {}).items() if value not in ([], {})}
    return {"model": model, "predictor": predictor, "logger": bool(inputs.get("logger"))}
