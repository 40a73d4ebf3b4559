"""The calls of the Kubeflow Pipelines API (v2beta1) that submitting and scheduling need.

The API has no idempotency key: whatever is made is looked for by its display name first. A filter that a server does not know is ignored by
it, so names are compared once more here.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from headgate_components.rest import NotFoundError, Server, ServerError

_API = "/apis/v2beta1"
_PAGE = "100"
_MOST_PAGES = 50

Object = dict[str, Any]


@dataclass(frozen=True)
class Kubeflow:
    """An API server, and the namespace of its user; empty where there is one user only."""

    server: Server
    namespace: str = ""

    def experiment(self, name: str) -> str:
        """The id of the experiment of this name; it is made if there is none."""
        for found in self._named("experiments", "experiments", name):
            return _id(found, "experiment_id")
        made = self.server.post(f"{_API}/experiments", {"display_name": name, **self._namespaced()})
        return _id(made, "experiment_id")

    def pipeline(self, name: str, description: str) -> str:
        """The id of the pipeline of this name; it is made if there is none."""
        try:
            found = self.server.get(f"{_API}/pipelines/names/{quote(name, safe='')}", self._namespaced())
        except NotFoundError:
            body = {"name": name, "display_name": name, "description": description, **self._namespaced()}
            found = self.server.post(f"{_API}/pipelines", body)
        return _id(found, "pipeline_id")

    def version(self, pipeline_id: str, name: str) -> str | None:
        """The id of a pipeline's version of this name."""
        for found in self._named(f"pipelines/{quote(pipeline_id, safe='')}/versions", "pipeline_versions", name, namespaced=False):
            return _id(found, "pipeline_version_id")
        return None

    def upload(self, pipeline_id: str, name: str, compiled: bytes) -> str:
        """Uploads a version and returns its id."""
        query = {"name": name, "display_name": name, "pipelineid": pipeline_id}
        made = self.server.upload(f"{_API}/pipelines/upload_version", compiled, name=f"{name}.yaml", query=query)
        return _id(made, "pipeline_version_id")

    def runs(self, name: str, experiment_id: str) -> list[Object]:
        """The runs of this name in an experiment, the newest first."""
        return list(self._named("runs", "runs", name, experiment_id=experiment_id, sort_by="created_at desc"))

    def start(self, body: Object) -> Object:
        """Starts a run. Look for it first."""
        return self.server.post(f"{_API}/runs", body)

    def run(self, run_id: str) -> Object:
        """How a run stands, with its tasks."""
        return self.server.get(f"{_API}/runs/{quote(run_id, safe='')}")

    def recurring_runs(self, name: str, experiment_id: str) -> list[Object]:
        """The recurring runs of this name in an experiment, the newest first."""
        return list(self._named("recurringruns", "recurringRuns", name, experiment_id=experiment_id, sort_by="created_at desc"))

    def schedule(self, body: Object) -> Object:
        """Makes a recurring run."""
        return self.server.post(f"{_API}/recurringruns", body)

    def switch(self, recurring_run_id: str, *, on: bool) -> None:
        """Lets a recurring run start runs, or not."""
        self.server.post(f"{_API}/recurringruns/{quote(recurring_run_id, safe='')}:{'enable' if on else 'disable'}", {})

    def unschedule(self, recurring_run_id: str) -> None:
        """Deletes a recurring run; runs that it started stay."""
        self.server.delete(f"{_API}/recurringruns/{quote(recurring_run_id, safe='')}")

    def _namespaced(self) -> dict[str, str]:
        return {"namespace": self.namespace} if self.namespace else {}

    def _named(self, path: str, key: str, name: str, *, namespaced: bool = True, **more: str) -> Iterator[Object]:
        predicates = [{"operation": "EQUALS", "key": "display_name", "string_value": name}]
        query = {"filter": json.dumps({"predicates": predicates}), "page_size": _PAGE, **more, **(self._namespaced() if namespaced else {})}
        for _ in range(_MOST_PAGES):
            answer = self.server.get(f"{_API}/{path}", query)
            for found in answer.get(key) or []:
                if isinstance(found, dict) and found.get("display_name") == name:
                    yield found
            if not answer.get("next_page_token"):
                return
            query["page_token"] = answer["next_page_token"]


def _id(found: Mapping[str, Any], key: str) -> str:
    value = found.get(key)
    if not isinstance(value, str) or not value:
        raise ServerError(f"the server's answer has no '{key}'; is it the API of Kubeflow Pipelines (v2beta1)?")
    return value
