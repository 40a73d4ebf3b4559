"""`headgate render` prints what the operator really writes: compared with the children of a rollout under way."""

from pathlib import Path
from typing import Any

import yaml
from click.testing import CliRunner

from headgate_operator.cli.main import main
from headgate_operator.controller.resources import CLUSTER_SERVING_RUNTIMES, HTTP_ROUTES, INFERENCE_SERVICES, SERVING_RUNTIMES
from headgate_operator.kserve.subset import is_subset

SPEC = {
    "predictor": {"replicas": {"min": 4, "max": 6, "metric": "cpu", "target": 70}, "env": [{"name": "THREADS", "value": "2"}]},
    "serving": {"hostnames": ["a.example.com", "b.example.com"], "requestTimeout": "5s"},
    "rollout": {"steps": [{"weight": 30, "minDuration": "1h"}, {"weight": 60}]},
}


async def test_what_is_printed_is_what_the_operator_writes(world: Any, tmp_path: Path) -> None:
    first = await world.manifest(**SPEC)
    await world.settle()
    runtime = await world.admin.get(CLUSTER_SERVING_RUNTIMES, None, "headgate-xgboost")
    for name, obj in (("first", first), ("runtime", runtime)):
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(obj))
    assert_same(await live(world), render(world, tmp_path, "first"))
    second = await world.manifest(uri="s3://models/flight-delay/2", **SPEC)
    (tmp_path / "second.yaml").write_text(yaml.safe_dump(second))
    await world.settle()
    assert sorted((await world.weights()).values()) == [30, 70]
    printed = render(world, tmp_path, "second", "--stable", f"{tmp_path}/first.yaml", "--weight", "30")
    assert_same(await live(world), printed)


async def live(world: Any) -> list[Any]:
    return [obj for kind in (SERVING_RUNTIMES, INFERENCE_SERVICES, HTTP_ROUTES) for obj in await world.admin.list(kind, "ml")]


def render(world: Any, folder: Path, name: str, *options: str) -> list[Any]:
    gateway = world.observer._settings.gateway
    known = ("--runtime", f"{folder}/runtime.yaml", "--gateway", f"{gateway.namespace}/{gateway.name}")
    result = CliRunner().invoke(main, ["render", f"{folder}/{name}.yaml", *known, *options])
    assert result.exit_code == 0, result.output
    return list(yaml.safe_load_all(result.stdout))


def assert_same(there: list[Any], printed: list[Any]) -> None:
    by_name = {(obj["kind"], obj["metadata"]["name"]): obj for obj in there}
    assert {(obj["kind"], obj["metadata"]["name"]) for obj in printed} == set(by_name)
    for obj in printed:
        assert is_subset(obj, by_name[obj["kind"], obj["metadata"]["name"]]), obj
