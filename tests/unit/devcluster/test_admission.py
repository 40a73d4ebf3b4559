"""KServe's admission webhooks refuse what real ones refused, in their words, and let through what those let through."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from headgate_devcluster.access import Access
from headgate_devcluster.apiclient import ApiClient, ApiError
from headgate_devcluster.apiserver import ApiServer
from headgate_devcluster.kserve.admission import WEBHOOKS, admission

RECORDED = json.loads((Path(__file__).parents[2] / "fixtures" / "kserve-refusals.json").read_text())["answers"]
ISVC = ("serving.kserve.io/v1beta1", "inferenceservices", "default")


def service(annotations: dict[str, str] | None = None, **predictor: Any) -> Any:
    model = {"model": {"modelFormat": {"name": "xgboost"}, "storageUri": "s3://b/m"}}
    meta = {"name": "m", "namespace": "default", "annotations": annotations or {}}
    return {"apiVersion": ISVC[0], "kind": "InferenceService", "metadata": meta, "spec": {"predictor": model | predictor}}


async def answer(api: ApiClient, obj: Any) -> tuple[int, str]:
    try:
        await api.apply(deepcopy(obj), field_manager="test")
    except ApiError as error:
        return error.status, str(error)
    return 201, ""


async def test_the_answers_are_those_that_were_recorded() -> None:
    async with ApiServer(webhooks=WEBHOOKS) as server, ApiClient(Access(server.url)) as api:
        for recorded in RECORDED:
            code, message = await answer(api, recorded["object"])
            assert code == recorded["code"], recorded["what"]
            assert recorded.get("message", "") in message, recorded["what"]


async def test_an_update_is_asked_about_and_a_status_is_not() -> None:
    async with ApiServer(webhooks=WEBHOOKS) as server, ApiClient(Access(server.url)) as api:
        await api.apply(service(), field_manager="test")
        await api.merge_patch(*ISVC, "m", {"status": {"deploymentMode": "Standard"}}, subresource="status")
        with pytest.raises(ApiError, match="'MinReplicas' cannot be greater than MaxReplicas") as refused:
            await api.merge_patch(*ISVC, "m", {"spec": {"predictor": {"minReplicas": 3, "maxReplicas": 2}}})
        assert refused.value.status == 403
        with pytest.raises(ApiError, match="deploymentMode cannot be changed from 'Standard' to 'Knative'"):
            await api.apply(service({"serving.kserve.io/deploymentMode": "Knative"}), field_manager="test")


@pytest.mark.parametrize(
    ("scaling", "said"),
    [
        ({"scaleMetric": "cpu", "scaleTarget": 70}, None),
        ({"scaleTarget": 150}, "the target utilization percentage should be a [1-100] integer"),
        ({"scaleMetric": "rps"}, "[rps] is not a supported metric"),
    ],
)
def test_what_the_autoscaler_aims_at_is_checked_where_its_class_is_written_out(scaling: Any, said: str | None) -> None:
    standard = {"serving.kserve.io/deploymentMode": "Standard"}
    denial = admission(service(standard | {"serving.kserve.io/autoscalerClass": "hpa"}, **scaling), None)
    assert (denial.message if denial else None) == said
    assert admission(service(standard, **scaling), None) is None
