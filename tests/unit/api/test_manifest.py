"""What `lint` says about a manifest."""

import pytest

from headgate_operator.api.manifest import ManifestError, load, problems


def test_an_unknown_field_is_told_with_the_closest_and_all_allowed_ones(manifest):
    (problem,) = problems(manifest("spec.rolout", {}))
    assert str(problem).startswith(
        "spec.rolout: unknown field, did you mean rollout? allowed here: owner, model, predictor, serving, rollout"
    )


def test_an_unknown_field_in_a_list_is_found(manifest):
    (problem,) = problems(manifest("spec.rollout.steps", [{"weight": 5}, {"weight": 10, "minutes": 3}]))
    assert problem.path == "spec.rollout.steps[1].minutes"


def test_free_form_fields_take_anything(manifest):
    obj = manifest("spec.predictor.resources", {"limits": {"nvidia.com/gpu": "1"}})
    obj["metadata"] |= {"labels": {"a": "b"}, "annotations": {}}
    assert problems(obj) == []


def test_unknown_fields_and_broken_rules_are_told_together(manifest):
    obj = manifest("spec.model.uri", "models:/flight-delay/7")
    obj["spec"]["model"]["name"] = "x"
    assert [problem.path for problem in problems(obj)] == ["spec.model.name", "spec.model.uri"]


def test_loading_a_wrong_manifest_raises_every_problem(manifest):
    obj = manifest("spec.rolout", {})
    obj["metadata"]["name"] = "f" * 60
    with pytest.raises(ManifestError, match="at most 40 characters") as error:
        load(obj)
    assert len(error.value.problems) == 2


def test_loading_a_stored_object_ignores_unknown_fields(manifest):
    assert load(manifest("spec.rolout", {}), forbid_unknown=False).model.runtime == "headgate-xgboost"
