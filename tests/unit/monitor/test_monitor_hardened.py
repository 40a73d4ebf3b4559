"""One monitor, started with a token, against whatever can be sent: it answers, counts, and goes on."""

import asyncio
import gzip
import json
import re
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import CHECKS, load_all_checks

from tests.monitorprocess import REQUEST, RESPONSE, Process
from tests.waiting import eventually

SECRET = "kept-from-args-and-logs"
FAR = "2036-01-01T00:00:00Z"
EVENTS = "/v1/events/flights/r1"

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Api:
    """A client with the token."""

    process: Process
    session: aiohttp.ClientSession

    async def post(self, path: str, body: bytes, **headers: str) -> int:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.session.post(self.process.url + path, data=BytesIO(body), headers=named) as answer:
            assert len((await answer.text()).splitlines()) <= 1
            return answer.status

    async def counts(self) -> Mapping[str, float]:
        async with self.session.get(f"{self.process.url}/metrics") as answer:
            found = re.findall(r'^headgate_monitor_events_total{reason="(.*)",result="(.*)"} (\S+)$', await answer.text(), re.MULTILINE)
        return {f"{result} {reason}": float(count) for reason, result, count in found}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    folder = tmp_path_factory.mktemp("monitor")
    (folder / "token").write_text(f"{SECRET}\n")
    process = Process(folder, "--token-file", str(folder / "token"), "--client-timeout", "2")
    process.fit()
    await process.start()
    bearer = {"Authorization": f"Bearer {SECRET}"}
    async with aiohttp.ClientSession(headers=bearer, timeout=aiohttp.ClientTimeout(total=60)) as session:
        api = Api(process, session)
        assert await api.post("/v1/drift/flights", json.dumps(process.question()).encode()) == 200
        yield api
    assert await process.end(signal.SIGTERM) == 0
    assert SECRET.encode() not in process.said
    assert b"Traceback" not in process.said, process.said.decode()


@dataclass(frozen=True)
class Bad:
    """Something that is sent, how it is answered, and by what it is then counted."""

    name: str
    body: bytes
    counted: str
    status: int = 200
    path: str = EVENTS
    headers: Mapping[str, str] = field(default_factory=dict)
    answer: bytes = b""
    """The response that follows, so that the request is read; empty: none does."""
    times: int = 1


ROW, PREDICTION = b'{"instances": [[1.0]]}', b'{"predictions": [0.5]}'
WIDE = json.dumps({"inputs": {str(number): [0] for number in range(10_000)}}).encode()
BINARY = b'{"inputs": [{"shape": [1], "datatype": "FP64", "parameters": {"binary_data_size": 7}}]}1234567'
BAD = [
    Bad("unknown deployment", ROW, "ignored deployment", path="/v1/events/nobody/r1"),
    Bad("unknown version", ROW, "ignored version", path="/v1/events/flights/r9"),
    Bad("duplicate", ROW, "ignored repeated", times=2),
    Bad("answered first", PREDICTION, "collected request", headers={"ce-type": RESPONSE}, answer=ROW),
    Bad("body of 100 MB", b"x" * 100_000_000, "refused size", 413),
    Bad("100 MB in 100 kB", gzip.compress(bytes(100_000_000)), "refused size", 413, headers={"content-encoding": "gzip"}),
    Bad("compressed, it says", b"not compressed", "refused broken", 400, headers={"content-encoding": "gzip"}),
    Bad("10,000 features", WIDE, "malformed size", answer=PREDICTION),
    Bad("NaN text", b'{"instances": [["NaN"]]}', "collected response", answer=b'{"predictions": ["NaN"]}'),
    Bad("NaN", b'{"instances": [[NaN]]}', "collected response", answer=b'{"predictions": [NaN]}'),
    Bad("text for a number", b'{"instances": [["late"]]}', "malformed predictions", answer=b'{"predictions": ["late"]}'),
    Bad("half a number", BINARY, "malformed tensor", answer=PREDICTION),
    Bad("another number of rows", ROW, "malformed unequal", answer=b'{"predictions": [1, 2]}'),
    Bad("another protocol", b"\x00\x01", "malformed json", answer=PREDICTION),
    Bad("clock ten years ahead", ROW, "collected response", headers={"ce-time": FAR}, answer=PREDICTION),
    Bad("clock hours behind", ROW, "collected response", headers={"ce-time": "2020-01-01T00:00:00Z"}, answer=PREDICTION),
    Bad("no id", ROW, "malformed id", 400, headers={"ce-id": ""}),
    Bad("deep nesting", b'{"id": "7", "type": "%s", "data": %s}' % (REQUEST.encode(), b"[" * 900 + b"]" * 900), "malformed event",
        headers={"content-type": "application/cloudevents+json"}),
]  # fmt: skip


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name)
async def test_bad_input_is_answered_counted_and_survived(api: Api, bad: Bad) -> None:
    before = await api.counts()
    headers = {"ce-id": bad.name, "ce-type": REQUEST} | dict(bad.headers)
    for _ in range(bad.times):
        try:
            assert await api.post(bad.path, bad.body, **headers) == bad.status
        except aiohttp.ClientConnectionError:  # it was refused and the connection closed while the client was still sending
            assert bad.status == 413
    if bad.answer:
        other = REQUEST if headers["ce-type"] == RESPONSE else RESPONSE
        assert await api.post(bad.path, bad.answer, **headers | {"ce-type": other}) == 200

    async def counted() -> bool:
        now = await api.counts()
        return now.get(bad.counted, 0) > before.get(bad.counted, 0)

    await eventually(counted)
    assert "failed bug" not in await api.counts()


HEAD = f"POST {EVENTS} HTTP/1.1\r\nHost: m\r\nAuthorization: Bearer {SECRET}\r\nCe-Type: {REQUEST}\r\n"
CUT_OFF = {
    "nothing": ("", ""),
    "half a head": (f"{HEAD}X-Slow: a", ""),
    "half a body": (f"{HEAD}Content-Length: 9\r\n\r\nhalf", "408"),
    "a chunk that is none": (f"{HEAD}Transfer-Encoding: chunked\r\n\r\nnone\r\n", "400"),
    "an id in another encoding": (f"{HEAD}Ce-Id: caf\u00e9\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}", "400"),
    "no HTTP": ("nonsense\r\n\r\n", "400"),
}


@pytest.mark.parametrize("name", CUT_OFF)
async def test_who_sends_slowly_or_wrongly_is_answered_and_cut_off(api: Api, name: str) -> None:
    sent, status = CUT_OFF[name]
    found = (await raw(api, sent)).partition(b"\r\n")[0].decode()
    assert found.partition(" ")[2][:3] == status


async def test_a_body_that_says_it_is_too_large_is_refused_before_any_of_it_came(api: Api) -> None:
    assert (await raw(api, f"{HEAD}Content-Length: 100000000\r\n\r\n")).startswith(b"HTTP/1.1 413 ")


async def raw(api: Api, sent: str) -> bytes:
    """Send bytes, and return what comes until the monitor closes the connection."""
    host, port = api.process.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(sent.encode("latin-1"))
    async with asyncio.timeout(60):
        found = await reader.read()
    writer.close()
    return found


@pytest.mark.parametrize("given", [None, "Bearer wrong", f"Basic {SECRET}", f"Bearer {SECRET}x", "Bearer caf\udce9"])
@pytest.mark.parametrize("path", [EVENTS, "/v1/drift/flights", "/v1/ground-truth/flights", "/metrics", "/openapi.json", "/nothing"])
async def test_nothing_but_probes_is_answered_without_the_token(api: Api, given: str | None, path: str) -> None:
    headers = {"Authorization": given} if given else {}
    async with aiohttp.ClientSession(headers=headers) as session:
        async with session.get(api.process.url + path) as answer:
            assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
        async with session.get(f"{api.process.url}/readyz") as answer:
            assert answer.status == 200


async def test_pages_of_other_origins_are_not_let_in(api: Api) -> None:
    asks = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}
    async with api.session.options(f"{api.process.url}/v1/drift/flights", headers=asks) as answer:
        assert answer.status == 405
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]


load_all_checks()
HOLD = CHECKS.get_by_names(
    ["not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
     "response_schema_conformance", "unsupported_method", "ignored_auth"]
)  # fmt: skip
"""Not that data is refused that the document does not allow: unknown fields are ignored, and what an event holds is looked at later. Nor,
for events, the opposite: a document cannot say that attributes are headers with one content type and fields with another."""


async def test_the_api_is_as_its_document_says(api: Api) -> None:
    async with api.session.get(f"{api.process.url}/openapi.json") as answer:
        document = await answer.json()
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=api.process.url)
    operations: Any = list(schema.get_all_operations())
    assert len(operations) == sum(len(path.keys() & {"get", "post"}) for path in document["paths"].values()) >= 9
    for found in operations:
        await asyncio.to_thread(holds_for(found.ok()))


def holds_for(operation: Any) -> Callable[[], None]:
    """Return a test of one operation."""
    checks = HOLD if "/events/" in operation.path else [*HOLD, *CHECKS.get_by_names(["positive_data_acceptance"])]

    @settings(max_examples=12, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck), derandomize=True)
    @given(case=operation.as_strategy())
    def holds(case: Any) -> None:
        case.call_and_validate(checks=checks, headers={"Authorization": f"Bearer {SECRET}"}, timeout=60)

    return holds
