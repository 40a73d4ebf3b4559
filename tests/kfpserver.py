"""A stub of the Kubeflow Pipelines API (v2beta1) in a thread. Every request and every answer is checked against the published OpenAPI.

It keeps what the API server keeps: ids are its own, display names are not unique, two requests are two objects, recurring runs cannot be
changed.
"""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import yaml

from tests.kfpcontract import BreachError, check, check_request

Object = dict[str, Any]
_PREFIX = "/apis/v2beta1/"
_LISTS = {"experiments": "experiments", "runs": "runs", "recurringruns": "recurringRuns", "versions": "pipeline_versions"}


@dataclass
class KfpServer:
    """What the server has, what it was asked, and how it misbehaves."""

    url: str = ""
    objects: dict[str, list[Object]] = field(default_factory=lambda: {name: [] for name in ("experiments", "pipelines", *_LISTS)})
    asked: list[str] = field(default_factory=list)
    """Method and path of each request."""

    breaches: list[str] = field(default_factory=list)
    """What the OpenAPI does not allow; a test that ends with any fails."""

    token: str = ""
    """The one that is accepted; empty accepts all."""

    instead: Callable[[str, str], tuple[int, bytes] | None] = lambda method, path: None
    """Answers in the server's place, if it wants to."""

    states: list[str] = field(default_factory=list)
    """What the newest run's state is, one for each time that it is asked for; the last one stays."""

    def wrote(self) -> list[str]:
        """The requests that were to change something."""
        return [line for line in self.asked if not line.startswith("GET")]

    def answer(self, method: str, target: str, body: Any, files: dict[str, bytes]) -> tuple[int, Object]:
        url = urlsplit(target)
        path, query = url.path, dict(parse_qsl(url.query))
        operation = check_request(method, path, query, body, files)
        status, found = self._route(method, path.removeprefix(_PREFIX), query, body, files)
        check("GoogleRpcStatus" if status != 200 else operation.answer, found, "answer")
        return status, found

    def _route(  # noqa: C901 - a table of routes
        self, method: str, path: str, query: dict[str, str], body: Any, files: dict[str, bytes]
    ) -> tuple[int, Object]:
        match method, [unquote(part) for part in re.split("[/:]", path)]:
            case "GET", ["pipelines", "names", name]:
                return self._one([one for one in self.objects["pipelines"] if one["name"] == name])
            case "POST", ["pipelines", "upload_version"]:
                return 200, self._upload(query, files["uploadfile"])
            case "GET", ["pipelines", parent, "versions"]:
                return self._list("versions", query, pipeline_id=parent)
            case "GET", [("runs" | "experiments" | "recurringruns") as kind]:
                return self._list(kind, query)
            case "POST", [("runs" | "experiments" | "recurringruns" | "pipelines") as kind]:
                return 200, self._make(kind, body)
            case "GET", ["runs", id_]:
                if self.states:
                    self.objects["runs"][-1]["state"] = self.states.pop(0) if len(self.states) > 1 else self.states[0]
                return self._one([run for run in self.objects["runs"] if run["run_id"] == id_])
            case "POST", ["recurringruns", id_, ("enable" | "disable") as verb]:
                for one in self.objects["recurringruns"]:
                    one["status"] = f"{verb.upper()}D" if one["recurring_run_id"] == id_ else one["status"]
                return 200, {}
            case "DELETE", ["recurringruns", id_]:
                self.objects["recurringruns"] = [one for one in self.objects["recurringruns"] if one["recurring_run_id"] != id_]
                return 200, {}
        raise BreachError(f"the stub does not know {method} {path}")

    def _list(self, kind: str, query: dict[str, str], **parent: str) -> tuple[int, Object]:
        wanted = {key: value for key, value in query.items() if key in ("experiment_id", "namespace")} | parent
        predicates = json.loads(query["filter"])["predicates"] if "filter" in query else []
        for predicate in predicates:
            check("V2beta1Predicate", predicate, "filter")
            wanted[predicate["key"]] = predicate["string_value"]
        found = [one for one in self.objects[kind] if all(one.get(key, "") == value for key, value in wanted.items())]
        found = found[::-1] if "desc" in query.get("sort_by", "") else found
        # One to a page: whoever reads only the first page does not see the rest.
        start = int(query.get("page_token", "0"))
        more = {"next_page_token": str(start + 1)} if start + 1 < len(found) else {}
        return 200, {_LISTS[kind]: found[start : start + 1], "total_size": len(found), **more}

    def _make(self, kind: str, body: Object) -> Object:
        key = {"runs": "run_id", "experiments": "experiment_id", "recurringruns": "recurring_run_id", "pipelines": "pipeline_id"}[kind]
        made = body | {key: f"{kind}-{sum(len(every) for every in self.objects.values())}", "created_at": "2026-01-01T00:00:00Z"}
        made |= {"state": "PENDING"} if kind == "runs" else {}
        made |= {"status": f"{body['mode']}D"} if kind == "recurringruns" else {}
        if reference := body.get("pipeline_version_reference"):
            self._check_parameters(reference["pipeline_version_id"], body["runtime_config"]["parameters"])
        self.objects[kind].append(made)
        return made

    def _upload(self, query: dict[str, str], content: bytes) -> Object:
        assert query["pipelineid"] in [one["pipeline_id"] for one in self.objects["pipelines"]]
        spec, *platform = yaml.safe_load_all(content)
        made = {
            "pipeline_id": query["pipelineid"],
            "pipeline_version_id": f"version-{len(self.objects['versions'])}",
            "name": query["name"],
            "display_name": query["display_name"],
            "pipeline_spec": {"pipeline_spec": spec, "platform_spec": platform[0] if platform else {}},
        }
        self.objects["versions"].append(made)
        return made

    def _check_parameters(self, version_id: str, given: Object) -> None:
        (version,) = [one for one in self.objects["versions"] if one["pipeline_version_id"] == version_id]
        declared = version["pipeline_spec"]["pipeline_spec"]["root"]["inputDefinitions"]["parameters"]
        for name in given:
            if name not in declared:
                raise BreachError(f"the pipeline declares no parameter {name}")

    @staticmethod
    def _one(found: list[Object]) -> tuple[int, Object]:
        return (200, found[0]) if found else (404, {"code": 5, "message": "not found", "details": []})


@contextmanager
def kfp_server() -> Iterator[KfpServer]:
    """A running stub on a free port; nothing that was asked of it was against the OpenAPI."""
    stub = KfpServer()

    class Handler(BaseHTTPRequestHandler):
        def _handle(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            stub.asked.append(f"{self.command} {self.path.partition('?')[0].removeprefix(_PREFIX)}")
            if stub.token and self.headers.get("Authorization") != f"Bearer {stub.token}":
                return self._say(401, json.dumps({"code": 16, "message": "Unauthenticated", "details": []}).encode())
            if instead := stub.instead(self.command, self.path):
                return self._say(*instead)
            try:
                status, found = stub.answer(self.command, self.path, *_body(self.headers, content))
            except (BreachError, AssertionError, KeyError, ValueError) as error:
                stub.breaches.append(f"{self.command} {self.path}: {error!r}")
                return self._say(500, json.dumps({"message": repr(error)}).encode())
            return self._say(status, json.dumps(found).encode())

        do_GET = do_POST = do_DELETE = do_PATCH = _handle  # noqa: N815 - the names http.server asks for

        def _say(self, status: int, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Nothing: the stub remembers what was asked."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        stub.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield stub
        finally:
            server.shutdown()
            thread.join()
    assert stub.breaches == []


def _body(headers: Any, content: bytes) -> tuple[Any, dict[str, bytes]]:
    kind = headers.get("Content-Type", "")
    if kind.startswith("multipart/form-data"):
        message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + content)
        return None, {
            str(part.get_param("name", header="content-disposition")): part.get_payload(decode=True) for part in message.iter_parts()
        }
    return (json.loads(content) if content else None), {}
