"""Headgate's server beside KServe's own way of serving XGBoost and beside MLServer.

The same model file, the same rows in the same body, one run: the servers on one core, the client on the other. All of them run all the
time and are asked in turn, load by load, so that whatever else the machine does meets them alike.
"""

import json
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import product
from pathlib import Path

import numpy as np
import xgboost as xgb

from headgate_serving.model import FeatureKind, digest, fit_features, make_golden, model_bytes, write_export
from tests.bench.report import Cell, Report, Table
from tests.bench.serving.client import ask
from tests.bench.serving.servers import CLIENT_CORE, Running, Server, mlserver, ours, plain, running

_FEATURES = 18
_CONNECTIONS = (1, 4, 16, 64)
_ROWS = (1, 100)
_PATHS = {"V1": "/v1/models/m:predict", "V2": "/v2/models/m/infer"}
_TIMES = 2.0
_P99 = 20.0
_BASELINE, _OURS = "kserve.Model, DMatrix", "headgate, same body"
_COLUMNS = ("server", "protocol", "rows", "connections", "requests/s", "p50 ms", "p99 ms", "p99.9 ms", "CPU ms a request")


def run(*, quick: bool) -> Report:
    """Measure every server with every load."""
    seconds = 0.7 if quick else 3.0
    os.sched_setaffinity(0, {CLIENT_CORE} if (os.cpu_count() or 1) > 1 else {0})
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        model, export, matrix = _model(work)
        compared: list[Server | str] = [
            plain(model, work),
            mlserver(model, work, Path("build/bench/mlserver").absolute()),
            ours(_OURS, model.parent, work),
            ours("headgate, named features", export, work),
            ours("headgate, not batched", model.parent, work, "--batch_rows=1"),
        ]
        with ExitStack() as stack:
            servers = [server for server in compared if isinstance(server, Server)]
            ready = {server: stack.enter_context(running(server, _port(), work / f"log-{number}")) for number, server in enumerate(servers)}
            rows = [row for protocol, size in product(_PATHS, _ROWS) for row in _loads(protocol, size, ready, matrix, seconds)]
            starts = [(server.name, process.start_up, process.megabytes) for server, process in ready.items()]
    why_not = [sentence for sentence in compared if isinstance(sentence, str)]
    note = "; ".join(["18 features, 200 trees of depth 6; server and client on one core each", *why_not])
    tables = [
        Table(title="Predictions", columns=_COLUMNS, rows=rows, note=note),
        Table(title="Processes", columns=("server", "start-up s", "MB after the load"), rows=starts),
    ]
    return Report(tables=tables, missed=_missed(rows))


def _model(work: Path) -> tuple[Path, Path, np.ndarray]:
    random = np.random.default_rng(0)
    matrix = random.normal(size=(20_000, _FEATURES)).astype(np.float32)
    late = matrix[:, 0] + random.normal(size=len(matrix)) > 0
    parameters = {"objective": "binary:logistic", "base_score": 0.5, "max_depth": 6, "seed": 0}
    booster = xgb.train(parameters, xgb.DMatrix(matrix, label=late), 200)
    path = work / "single" / "model.ubj"
    path.parent.mkdir()
    path.write_bytes(model_bytes(booster))
    columns = {f"x{number}": matrix[:, number].tolist() for number in range(_FEATURES)}
    features = fit_features(columns, dict.fromkeys(columns, FeatureKind.NUMBER))
    few = {name: values[:20] for name, values in columns.items()}
    golden = make_golden(booster, features, few, versions={"xgboost": xgb.__version__}, model_digest=digest(model_bytes(booster)))
    export = write_export(work / "storage", model_name="m", version="1", booster=booster, features=features, metadata={}, golden=golden)
    return path, export, matrix


def _loads(protocol: str, rows: int, ready: dict[Server, Running], matrix: np.ndarray, seconds: float) -> Iterator[tuple[Cell, ...]]:
    """All connections and servers, in turn; a server that has not the protocol is left out."""
    able = [server for server in ready if server.v1 or protocol != "V1"]
    bodies = {
        server: [_body(protocol, matrix[start : start + rows], named="named" in server.name) for start in range(0, 50 * rows, rows)]
        for server in able
    }
    for server in able:
        ask(ready[server].port, _PATHS[protocol], bodies[server], connections=4, seconds=0.5)
    for connections, server in product(_CONNECTIONS, able):
        process = ready[server]
        cpu = process.cpu
        load = ask(process.port, _PATHS[protocol], bodies[server], connections=connections, seconds=seconds)
        cost = (process.cpu - cpu) * 1000 / load.requests
        yield (server.name, protocol, rows, connections, load.rate, load.p50, load.p99, load.p999, cost)


def _body(protocol: str, rows: np.ndarray, *, named: bool) -> bytes:
    names = [f"x{number}" for number in range(_FEATURES)]
    if protocol == "V1":
        listed = rows.tolist()
        return json.dumps({"instances": [dict(zip(names, row, strict=True)) for row in listed] if named else listed}).encode()
    if named:
        tensors = [
            {"name": name, "shape": [len(rows)], "datatype": "FP64", "data": rows[:, number].tolist()} for number, name in enumerate(names)
        ]
    else:
        tensors = [{"name": "input-0", "shape": list(rows.shape), "datatype": "FP32", "data": rows.ravel().tolist()}]
    return json.dumps({"id": "1", "inputs": tensors}).encode()


def _missed(rows: list[tuple[Cell, ...]]) -> list[str]:
    figures = {row[:4]: (float(row[4]), float(row[6])) for row in rows}
    missed = []
    for protocol in ("V1", "V2"):
        rate, p99 = figures[_OURS, protocol, 1, 4]
        baseline, _ = figures[_BASELINE, protocol, 1, 4]
        if rate < _TIMES * baseline:
            missed.append(
                f"{protocol}: {rate / baseline:.2f} times the requests of KServe's own way at 4 connections, {_TIMES:g} are promised"
            )
        if p99 >= _P99:
            missed.append(f"{protocol}: p99 of {p99:.1f} ms at 4 connections, less than {_P99:g} is promised")
    return missed


def _port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
