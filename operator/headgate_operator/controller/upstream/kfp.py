"""The few calls of the Kubeflow Pipelines API (`/apis/v2beta1/…`) that starting and watching a run needs.

The API has no idempotency key: two requests are two runs. So a run is looked for by its display name before it is asked for, and a request
whose answer was lost is not repeated, but looked for again later.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from headgate_operator.api.status import RunState
from headgate_operator.controller.upstream.parameters import typed_parameters
from headgate_operator.controller.upstream.rest import NotFoundError, Rest, RestError

_API: Final = "/apis/v2beta1"
_ID: Final = re.compile("[A-Za-z0-9._-]{1,128}")
_STATES: Final = {
    state.value: state for state in RunState if state not in (RunState.STARTING, RunState.DELETED, RunState.NOT_STARTED)
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Run:
    """How a run stands."""

    state: RunState
    message: str = ""


async def find_run(rest: Rest, server: str, display_name: str) -> str | None:
    """Return the id of the run of that display name, the oldest if there are several; None if there is none."""
    predicate = {"key": "display_name", "operation": "EQUALS", "string_value": display_name}
    query = {"filter": json.dumps({"predicates": [predicate]}), "page_size": "10", "sort_by": "created_at asc"}
    answer = await rest.get(server, f"{_API}/runs", query)
    runs = answer.get("runs", [])
    if not isinstance(runs, list):
        raise _nonsense(server, "a list of runs")
    # Checked once more: a server that does not know the filter would have us take anybody's run for ours.
    found = [run for run in runs if isinstance(run, dict) and run.get("display_name") == display_name]
    return _id(server, found[0], "run_id") if found else None


async def create_run(rest: Rest, server: str, *, display_name: str, pipeline: str, parameters: Mapping[str, str]) -> str:
    """Start the newest version of a pipeline and return the run's id. Never tried twice: look for it first."""
    named = await rest.get(server, f"{_API}/pipelines/names/{quote(pipeline, safe='')}", {})
    pipeline_id = _id(server, named, "pipeline_id")
    query = {"page_size": "1", "sort_by": "created_at desc"}
    listed = await rest.get(server, f"{_API}/pipelines/{quote(pipeline_id, safe='')}/versions", query)
    versions = listed.get("pipeline_versions", [])
    if not isinstance(versions, list) or not versions or not isinstance(versions[0], dict):
        raise RestError(f"the pipeline {pipeline} at {server} has no version yet; upload one")
    newest = versions[0]
    body = {
        "display_name": display_name,
        "pipeline_version_reference": {"pipeline_id": pipeline_id, "pipeline_version_id": _id(server, newest, "pipeline_version_id")},
        "runtime_config": {"parameters": typed_parameters(parameters, newest.get("pipeline_spec"))},
    }
    return _id(server, await rest.post(server, f"{_API}/runs", body, attempts=1), "run_id")


async def read_run(rest: Rest, server: str, run_id: str) -> Run:
    """Return how a run stands. A run that is gone is Deleted; a state that this release does not know counts as pending."""
    try:
        answer = await rest.get(server, f"{_API}/runs/{quote(run_id, safe='')}", {})
    except NotFoundError:
        return Run(state=RunState.DELETED)
    if answer.get("run_id") != run_id:
        raise _nonsense(server, "a run")
    error = answer.get("error")
    message = error.get("message", "") if isinstance(error, dict) else ""
    return Run(state=_STATES.get(str(answer.get("state")), RunState.PENDING), message=" ".join(str(message).split()))


def _id(server: str, answer: Mapping[str, Any], key: str) -> str:
    found = answer.get(key)
    if not isinstance(found, str) or _ID.fullmatch(found) is None:
        raise _nonsense(server, f"something with a {key}")
    return found


def _nonsense(server: str, expected: str) -> RestError:
    return RestError(f"{server} answered something that is not {expected}; is it the API of Kubeflow Pipelines (v2beta1)?")
