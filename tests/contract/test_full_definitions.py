"""What Headgate generates is accepted by the full schemas of KServe and the Gateway API. They are not part of the project:
HEADGATE_KSERVE_CRDS names a folder with their CustomResourceDefinitions; runtimes of KServe's own lie beside it in `../runtimes`.
"""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from click.testing import CliRunner

from headgate_operator.api.spec import Gateway, ModelDeploymentSpec
from headgate_operator.cli.main import main
from headgate_operator.kserve.children import Owner, Scaling, inference_service, serving_runtime
from headgate_operator.kserve.render import render
from headgate_operator.kserve.route import RouteBackend, http_route
from tests.plainhttp import APPLY, Http
from tests.realcluster.controlplane import ControlPlane, control_plane
from tests.realcluster.definitions import full_definitions
from tests.realcluster.programs import Programs

pytestmark = [pytest.mark.real_api, pytest.mark.slow]

Object = dict[str, Any]
MANIFESTS = Path(__file__).parents[2] / "manifests"
OWNER = Owner("flight-delay", "3f4e8a44-1d4e-4a3c-8f5f-7a2d7f8c1111")
SCALING = Scaling(min_replicas=1, max_replicas=3, metric="cpu", target=70)
FOLDER, DEFINITIONS = full_definitions()
PLURALS = {"InferenceService": "inferenceservices", "ServingRuntime": "servingruntimes", "ClusterServingRuntime": "clusterservingruntimes"}

TAKEN = [{"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}]
AFFINITY = {
    "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [{"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}]}]
        }
    }
}
SPECS: dict[str, Object] = {
    "the shortest": {},
    "pods with everything": {
        "predictor": {
            "replicas": {"min": 2, "max": 5},
            "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "2Gi"}},
            "env": [{"name": "A", "value": "b"}, {"name": "S", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
            "args": ["--workers=2"],
            "serviceAccountName": "models",
            "nodeSelector": {"disk": "fast"},
            "tolerations": TAKEN,
            "affinity": AFFINITY,
            "labels": {"team": "a"},
            "annotations": {"example.com/a": "b"},
        }
    },
    "a model name of its own": {"model": {"modelName": "delay"}},
}


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[ControlPlane]:
    if not DEFINITIONS:
        pytest.skip("HEADGATE_KSERVE_CRDS names no folder with the definitions of KServe and the Gateway API")
    programs: Programs = request.getfixturevalue("real_programs")
    with control_plane(tmp_path_factory.mktemp("full"), programs, definitions=DEFINITIONS) as plane:
        yield plane


@pytest.fixture
async def http(plane: ControlPlane) -> AsyncIterator[Http]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session:
        yield Http(plane.access, session)


async def accepted(http: Http, obj: Object, plural: str) -> None:
    """Apply it without keeping it; nothing it says may be unknown or dropped."""
    meta = obj["metadata"]
    place = f"/namespaces/{meta['namespace']}" if "namespace" in meta else ""
    path = f"/apis/{obj['apiVersion']}{place}/{plural}/{meta['name']}"
    answer = await http("PATCH", path, obj, APPLY, fieldManager="headgate", dryRun="All", fieldValidation="Strict", force="true")
    assert answer.status in {200, 201}, answer.body["message"]


def runtimes() -> list[Any]:
    ours = yaml.safe_load((MANIFESTS / "runtimes" / "headgate-xgboost.yaml").read_text())
    folder = FOLDER.parent / "runtimes" if FOLDER else Path("/nonexistent")
    theirs = [yaml.safe_load(path.read_text()) for path in sorted(folder.glob("*.yaml"))]
    return [pytest.param(runtime, id=runtime["metadata"]["name"]) for runtime in (ours, *theirs)]


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
@pytest.mark.parametrize("runtime", runtimes())
async def test_the_children_of_a_revision_are_accepted(http: Http, runtime: Object, spec: Object) -> None:
    model = {"uri": "s3://models/7", "format": {"name": "xgboost", "version": "3"}, "runtime": runtime["metadata"]["name"]}
    parsed = ModelDeploymentSpec.model_validate(spec | {"model": model | spec.get("model", {})})
    pinned = render(
        parsed,
        uri="s3://models/7",
        name="flight-delay",
        namespace="default",
        isvc="flight-delay-0a1b2c3d",
        revision="r0a1b2c3d",
        runtime=runtime,
    )
    await accepted(http, serving_runtime(pinned, owner=OWNER), PLURALS["ServingRuntime"])
    await accepted(http, inference_service(pinned, owner=OWNER, scaling=SCALING), PLURALS["InferenceService"])


@pytest.mark.parametrize("weights", [(100, 0), (95, 5), (0, 100)])
async def test_the_route_is_accepted(http: Http, weights: tuple[int, int]) -> None:
    first, second = (RouteBackend(isvc=f"m-{slot}", revision=f"r{slot}", weight=weight) for slot, weight in enumerate(weights))
    route = http_route(
        name="flight-delay", namespace="default", owner=OWNER, gateway=Gateway(name="g", namespace="kserve"),
        hostnames=("flight-delay.default.example.com",), slots=(first, second), stable_id="r0", rejected_ids=("r1",),
        request_timeout=timedelta(milliseconds=2500),
    )  # fmt: skip
    await accepted(http, route, "httproutes")


@pytest.mark.parametrize("strategy", ["Canary", "BlueGreen"])
async def test_what_render_prints_is_accepted(http: Http, strategy: str, tmp_path: Path) -> None:
    fixtures = Path(__file__).parents[1] / "fixtures" / "render"
    new = yaml.safe_load((fixtures / "new.yaml").read_text())
    new["spec"]["rollout"] = {"strategy": strategy}
    (tmp_path / "new.yaml").write_text(yaml.safe_dump(new))
    files = [f"{tmp_path}/new.yaml", "--stable", f"{fixtures}/stable.yaml", "--runtime", str(MANIFESTS / "runtimes/headgate-xgboost.yaml")]
    printed = CliRunner().invoke(main, ["render", *files])
    assert printed.exit_code == 0, printed.stderr
    for obj in yaml.safe_load_all(printed.stdout):
        obj["metadata"]["namespace"] = "default"
        await accepted(http, obj, PLURALS.get(obj["kind"], "httproutes"))


async def test_our_runtime_is_accepted(http: Http) -> None:
    runtime = yaml.safe_load((MANIFESTS / "runtimes" / "headgate-xgboost.yaml").read_text())
    await accepted(http, runtime, PLURALS["ClusterServingRuntime"])


@pytest.mark.parametrize("path", ["operator/deployment.yaml", "rbac/clusterrole.yaml", "rbac/bindings.yaml", "rbac/serviceaccount.yaml"])
async def test_our_manifests_are_accepted(http: Http, path: str) -> None:
    for obj in yaml.safe_load_all((MANIFESTS / path).read_text()):
        if "namespace" in obj["metadata"]:
            obj["metadata"]["namespace"] = "default"
        core = obj["apiVersion"] == "v1"
        place = f"/namespaces/{obj['metadata']['namespace']}" if "namespace" in obj["metadata"] else ""
        url = f"/{'api' if core else 'apis'}/{obj['apiVersion']}{place}/{obj['kind'].lower()}s/{obj['metadata']['name']}"
        answer = await http("PATCH", url, obj, APPLY, fieldManager="t", dryRun="All", fieldValidation="Strict")
        assert answer.status in {200, 201}, answer.body


async def test_the_schemas_are_the_full_ones(http: Http) -> None:
    isvc = {
        "apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService", "metadata": {"name": "m", "namespace": "default"},
        "spec": {"predictor": {"modle": {}}},
    }  # fmt: skip
    path = "/apis/serving.kserve.io/v1beta1/namespaces/default/inferenceservices/m"
    answer = await http("PATCH", path, isvc, APPLY, fieldManager="headgate", dryRun="All")
    assert ".spec.predictor.modle: field not declared in schema" in answer.body["message"]
