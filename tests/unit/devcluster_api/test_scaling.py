"""The Scale of an object."""

from typing import Any

import pytest

from headgate_devcluster.apiserver.errors import Refusal
from headgate_devcluster.apiserver.scaling import rescaled, scale_of


def deployment(api: Any) -> Any:
    template = {"metadata": {"labels": {"app": "d", "tier": "web"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    spec = {"selector": {"matchLabels": {"tier": "web", "app": "d"}}, "template": template, "replicas": 2}
    return api.create({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d", "namespace": "ml"}, "spec": spec})


def test_it_shows_replicas_and_the_selector_as_text(api: Any) -> None:
    scale = scale_of(deployment(api))
    assert (scale["kind"], scale["spec"], scale["status"]) == ("Scale", {"replicas": 2}, {"replicas": 0, "selector": "app=d,tier=web"})


def test_a_changed_scale_changes_the_object_and_its_generation(api: Any) -> None:
    obj = deployment(api)
    changed = api.patch(obj, rescaled(lambda scale: scale | {"spec": {"replicas": 5}}))
    assert (changed["spec"]["replicas"], changed["metadata"]["generation"]) == (5, 2)
    assert changed["spec"]["template"] == obj["spec"]["template"]


def test_a_scale_that_is_not_the_current_one_is_a_conflict(api: Any) -> None:
    obj = deployment(api)
    old = scale_of(obj)
    api.patch(obj, rescaled(lambda scale: scale | {"spec": {"replicas": 5}}))
    with pytest.raises(Refusal, match="the object has been modified"):
        api.patch(obj, rescaled(lambda _: old | {"spec": {"replicas": 6}}))


@pytest.mark.parametrize("replicas", [-1, "3", 1.5, True])
def test_replicas_must_be_a_number(api: Any, replicas: Any) -> None:
    with pytest.raises(Refusal, match=r"spec\.replicas of a Scale must be a number of at least 0"):
        api.patch(deployment(api), rescaled(lambda scale: scale | {"spec": {"replicas": replicas}}))
