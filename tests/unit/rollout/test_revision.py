"""Revision ids: what reaches a pod, as the manifest says it, and nothing else."""

from headgate_operator.api.spec import ModelDeploymentSpec
from headgate_operator.rollout.revision import revision_id, revision_inputs, same

MODEL = {"uri": "s3://models/flight-delay/7", "format": {"name": "xgboost", "version": "3"}, "runtime": "headgate-xgboost"}


def inputs(model=MODEL, **rest):
    spec = ModelDeploymentSpec.model_validate({"model": model, **rest})
    return revision_inputs(spec, uri=spec.model.uri or "s3://resolved/1")


def test_an_id_never_changes_with_the_code():
    assert revision_id(inputs()) == "r2c15ac50"
    assert inputs() == {"model": MODEL}


def test_replicas_timeouts_steps_and_analysis_start_no_new_revision():
    changed = inputs(
        predictor={"replicas": {"min": 3, "max": 9}},
        serving={"requestTimeout": "1s"},
        rollout={"steps": [{"weight": 1}]},
        analysis={"interval": "1m"},
        parity={"mode": "Off"},
    )
    assert revision_id(changed) == revision_id(inputs())


def test_everything_that_reaches_a_pod_starts_one():
    ids = {
        revision_id(inputs()),
        revision_id(inputs(MODEL | {"uri": "s3://models/flight-delay/8"})),
        revision_id(inputs(MODEL | {"format": {"name": "xgboost"}})),
        revision_id(inputs(MODEL | {"runtime": "other"})),
        revision_id(inputs(MODEL | {"protocol": "v1"})),
        revision_id(inputs(MODEL | {"modelName": "other"})),
        revision_id(inputs(predictor={"args": ["--workers=2"]})),
        revision_id(inputs(predictor={"env": [{"name": "A", "value": "1"}]})),
        revision_id(inputs(predictor={"resources": {"limits": {"cpu": "2"}}})),
        revision_id(inputs(predictor={"serviceAccountName": "reader"})),
    }
    assert len(ids) == 10


def test_the_order_of_fields_does_not_matter():
    assert revision_id(inputs(dict(reversed(MODEL.items())))) == revision_id(inputs())


def test_a_default_written_out_is_the_same_revision():
    assert same(inputs(), inputs(MODEL | {"protocol": "v2", "modelName": "flight-delay"}), name="flight-delay")
    assert same(inputs(), inputs(predictor={"args": []}), name="flight-delay")
    assert not same(inputs(), inputs(MODEL | {"protocol": "v1"}), name="flight-delay")
