"""Plain requests to an API server: a JSON or raw body in, status and JSON out."""

import json
from dataclasses import dataclass
from typing import Any

import aiohttp

from headgate_devcluster.access import Access

APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any
    headers: Any


class Http:
    """`await http("GET", "/version")`; as whoever the access says."""

    def __init__(self, access: Access, session: aiohttp.ClientSession) -> None:
        self.access, self.url, self.session = access, access.url, session

    async def __call__(
        self, method: str, path: str, body: Any = None, kind: str = "application/json", accept: str = "application/json", **query: str
    ) -> Answer:
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        async with self.stream(method, path, data, kind, accept, **query) as response:
            text = await response.text()
            return Answer(response.status, json.loads(text) if text.startswith(("{", "[")) else text, response.headers)

    def stream(
        self, method: str, path: str, data: bytes | None = None, kind: str = "", accept: str = "application/json", **query: str
    ) -> Any:
        """The response as it comes, as an async context manager."""
        headers = {"Accept": accept, **self.access.headers()} | ({"Content-Type": kind} if data is not None else {})
        return self.session.request(method, self.url + path, data=data, params=query, headers=headers, ssl=self.access.trust())
