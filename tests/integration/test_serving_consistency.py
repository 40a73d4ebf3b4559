"""Train/serve equality: what serving answers to a client's flights is what training would have computed from its table, to the bit."""

import asyncio
import sys
from pathlib import Path

import httpx
import numpy as np
import orjson
import pyarrow as pa
import pytest
import xgboost as xgb

from headgate_components import tables
from headgate_pipelines import flights
from headgate_serving.model import FeatureKind, digest, fit_features, load_model, make_golden, model_bytes, to_v2_request, write_export

ROWS = 10_000
KINDS = {name: FeatureKind.CATEGORY if name in flights.CATEGORIES else FeatureKind.NUMBER for name in flights.FEATURES}


async def test_serving_answers_ten_thousand_real_flights_exactly_as_training_computes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", sys.argv[:1])  # KServe parses it when it is imported
    from headgate_serving.server.front import Front
    from headgate_serving.server.options import Options
    from headgate_serving.server.service import Service

    table = flights.load()
    train = table[table[flights.TIME] < flights.months(1, 2).end].dropna(subset=[flights.LABEL])
    columns = _as_training_reads(train, tmp_path)
    features = fit_features(columns, KINDS, max_categories=30)  # type: ignore[arg-type]
    data = xgb.DMatrix(features.encode(columns), label=train[flights.LABEL])  # type: ignore[arg-type]
    booster = xgb.train({"objective": "binary:logistic", "base_score": 0.5, "max_depth": 6, "seed": 0}, data, 20)
    few = {name: values[:20] for name, values in columns.items()}
    golden = make_golden(booster, features, few, versions={}, model_digest=digest(model_bytes(booster)))  # type: ignore[arg-type]
    folder = write_export(tmp_path, model_name="m", version="1", booster=booster, features=features, metadata={}, golden=golden)

    july = flights.requests(table)[:ROWS]
    asked = [flight.features for flight in july]
    of_training = table[(table[flights.TIME] >= flights.months(7, 7).start)].head(ROWS)
    expected = booster.inplace_predict(features.encode(_as_training_reads(of_training, tmp_path))).astype(float)  # type: ignore[arg-type]

    options = Options(model_name="m", model_dir=folder)
    front = Front(_nowhere, Service("m", load_model(folder), options), options)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(front), base_url="http://m") as client:
        together = await _v1(client, asked[:5000])
        for start in range(5000, 9000, 500):
            rows = asked[start : start + 500]
            body = to_v2_request({name: [row[name] for row in rows] for name in KINDS}, features)
            together += (await client.post("/v2/models/m/infer", content=orjson.dumps(body))).json()["outputs"][0]["data"]
        for start in range(9000, ROWS, 50):  # one row a request, fifty at the same moment: predicted in batches
            together += [
                one for answer in await asyncio.gather(*(_v1(client, [row]) for row in asked[start : start + 50])) for one in answer
            ]
    assert len(together) == len(expected) == ROWS
    assert np.array_equal(np.array(together), expected)
    assert len(np.unique(expected)) > 1000


def _as_training_reads(frame: object, folder: Path) -> tables.Arrays:
    """Through a Parquet file, as between the steps of the pipeline."""
    tables.write(pa.Table.from_pandas(frame, preserve_index=False), folder / "rows.parquet")
    return tables.arrays(tables.read(folder / "rows.parquet"), KINDS)


async def _v1(client: httpx.AsyncClient, rows: list[dict[str, str | float | None]]) -> list[float]:
    answer = await client.post("/v1/models/m:predict", content=orjson.dumps({"instances": rows}))
    return [row["probability"] for row in answer.json()["predictions"]]


async def _nowhere(_scope: object, _receive: object, _send: object) -> None:
    raise AssertionError("a prediction is answered by the front itself")
