"""What is counted as what."""

from datetime import UTC, datetime

from headgate_operator.api.spec import Owner
from headgate_operator.api.status import Candidate, ModelDeploymentStatus, Previous, Rejected, Rendered, Stable
from headgate_operator.controller.telemetry import Telemetry

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ONE = {"id": "r1", "model_uri": "s3://m/1", "version": "1", "isvc": "m-1", "slot": 0}
TWO = {"id": "r2", "model_uri": "s3://m/2", "version": "2", "isvc": "m-2", "slot": 1}


def test_a_return_during_the_watch_is_a_rollback_and_no_promotion() -> None:
    candidate = Candidate(**TWO, inputs={}, rendered=Rendered(inference_service={}, serving_runtime={}), started_at=NOW)
    canary = ModelDeploymentStatus(stable=Stable(**ONE, since=NOW), candidate=candidate)
    watched = ModelDeploymentStatus(stable=Stable(**TWO, since=NOW), previous=Previous(**ONE, since=NOW))
    refused = Rejected(id="r2", reason="ErrorsWorse", message="8 % failed", at=NOW)
    returned = ModelDeploymentStatus(stable=Stable(**ONE, since=NOW), rejected=[refused])
    telemetry = Telemetry()
    telemetry.report("ml", "m", canary, watched)
    telemetry.report("ml", "m", watched, returned)
    text = telemetry.render().decode()
    assert "headgate_promotions_total 1.0" in text
    assert 'headgate_rollbacks_total{reason="ErrorsWorse"} 1.0' in text


def test_an_objects_owner_is_one_series_that_changes_and_goes_with_it() -> None:
    telemetry = Telemetry()
    telemetry.report_owner("ml", "m", Owner(team="ops", contact="#ops"))
    telemetry.report_owner("ml", "m", Owner(team="data", contact="#data", runbook="https://x.example/m"))
    text = telemetry.render().decode()
    assert 'headgate_model_owner{contact="#data",name="m",namespace="ml",runbook="https://x.example/m",team="data"} 1.0' in text
    assert "#ops" not in text
    telemetry.forget("ml", "m")
    assert "#data" not in telemetry.render().decode()
