"""A closed loop of HTTP clients in one thread: each connection asks, waits for its answer, asks again.

Raw sockets with prepared bytes: a request costs the client some 15 µs, so that the server is what is measured.
"""

import selectors
import socket
import time
from dataclasses import dataclass

import numpy as np

_TIMEOUT = 30.0


@dataclass(frozen=True)
class Load:
    """What one run showed; latencies in milliseconds."""

    requests: int
    rate: float
    p50: float
    p99: float
    p999: float


def ask(port: int, path: str, bodies: list[bytes], *, connections: int, seconds: float) -> Load:
    """Ask for so long; answers that are not 200 end it.

    Raises:
        RuntimeError: the server answered something else, or nothing.
    """
    requests = [_request(path, body) for body in bodies]
    latencies: list[float] = []
    with selectors.DefaultSelector() as selector:
        opened = [socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT) for _ in range(connections)]
        try:
            started = time.perf_counter()
            sent_at: dict[socket.socket, float] = {}
            for number, connection in enumerate(opened):
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                selector.register(connection, selectors.EVENT_READ)
                sent_at[connection] = time.perf_counter()
                connection.sendall(requests[number % len(requests)])
            number = connections
            while (now := time.perf_counter()) - started < seconds:
                for key, _ in _ready(selector):
                    connection = key.fileobj  # type: ignore[assignment]
                    _read_answer(connection)
                    now = time.perf_counter()
                    latencies.append(now - sent_at[connection])
                    sent_at[connection] = now
                    connection.sendall(requests[number % len(requests)])
                    number += 1
        finally:
            for connection in opened:
                connection.close()
    p50, p99, p999 = (float(value) for value in np.percentile(latencies, (50, 99, 99.9)) * 1000)
    return Load(len(latencies), len(latencies) / (now - started), p50, p99, p999)


def _ready(selector: selectors.BaseSelector) -> list[tuple[selectors.SelectorKey, int]]:
    found = selector.select(_TIMEOUT)
    if not found:
        raise RuntimeError(f"the server answered nothing for {_TIMEOUT:g} s")
    return found


def _request(path: str, body: bytes) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def _read_answer(connection: socket.socket) -> None:
    received = connection.recv(65_536)
    while b"\r\n\r\n" not in received:
        received += _more(connection)
    head, _, body = received.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"the server answered {head[:60]!r} {body[:300]!r}")
    length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
    missing = length - len(body)
    while missing > 0:
        missing -= len(_more(connection))


def _more(connection: socket.socket) -> bytes:
    received = connection.recv(65_536)
    if not received:
        raise RuntimeError("the server closed the connection")
    return received
