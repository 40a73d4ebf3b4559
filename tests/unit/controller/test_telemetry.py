"""What is counted as what, how long a series lives, and that the docs list exactly what is served."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from headgate_operator.api.spec import Owner
from headgate_operator.api.status import (
    AnalysisStatus,
    Candidate,
    MetricStatus,
    ModelDeploymentStatus,
    Phase,
    Previous,
    RefusalEvidence,
    Rejected,
    Rendered,
    Stable,
    Traffic,
    Verdict,
)
from headgate_operator.controller.telemetry import Telemetry

DOCS = Path(__file__).parents[3] / "docs" / "operator.md"
NOW = datetime(2026, 3, 1, tzinfo=UTC)
KEY = ("ml", "m")
ONE = {"id": "r1", "model_uri": "s3://m/1", "version": "1", "isvc": "m-1", "slot": 0}
TWO = {"id": "r2", "model_uri": "s3://m/2", "version": "2", "isvc": "m-2", "slot": 1}
EVIDENCE = RefusalEvidence(metric="errors", verdict=Verdict.WORSE, evidence=5.4, bound=5.3)


def canary(*, weight: int = 10, evidence: float = 2.65) -> ModelDeploymentStatus:
    errors = MetricStatus(name="errors", evidence=evidence, bound=5.3, promotion_evidence=1.0, promotion_bound=4.0)
    return ModelDeploymentStatus(
        phase=Phase.PROGRESSING,
        stable=Stable(**ONE, since=NOW),
        candidate=Candidate(**TWO, inputs={}, rendered=Rendered(inference_service={}, serving_runtime={}), started_at=NOW),
        traffic=[Traffic(id="r1", weight=100 - weight), Traffic(id="r2", weight=weight)],
        analysis=AnalysisStatus(candidate="r2", candidate_slot=1, stable_slot=0, weight=weight, metrics=[errors]),
    )


def refused(*, weight: int, evidence: RefusalEvidence | None = EVIDENCE) -> ModelDeploymentStatus:
    """Just after the refusal, the route saying that the refused version has this weight."""
    return ModelDeploymentStatus(
        phase=Phase.ROLLED_BACK,
        stable=Stable(**ONE, since=NOW),
        rejected=[Rejected(id="r2", reason="ErrorsWorse", message="8 % failed", at=NOW, evidence=evidence)],
        traffic=[Traffic(id="r1", weight=100 - weight), Traffic(id="r2", weight=weight)],
    )


def report(telemetry: Telemetry, before: ModelDeploymentStatus, after: ModelDeploymentStatus, **options) -> str:
    telemetry.report(KEY, before, after, **{"owner": None, "now": NOW} | options)
    return telemetry.render().decode()


def test_a_return_during_the_watch_is_a_rollback_and_no_promotion() -> None:
    watched = ModelDeploymentStatus(stable=Stable(**TWO, since=NOW), previous=Previous(**ONE, since=NOW))
    telemetry = Telemetry()
    report(telemetry, canary(), watched)
    text = report(telemetry, watched, refused(weight=0))
    assert "headgate_promotions_total 1.0" in text
    assert 'headgate_rollbacks_total{reason="ErrorsWorse"} 1.0' in text


def test_an_objects_owner_is_one_series_that_changes_and_goes_with_it() -> None:
    telemetry = Telemetry()
    report(telemetry, canary(), canary(), owner=Owner(team="ops", contact="#ops"))
    text = report(telemetry, canary(), canary(), owner=Owner(team="data", contact="#data", runbook="https://x.example/m"))
    assert 'headgate_model_owner{contact="#data",name="m",namespace="ml",runbook="https://x.example/m",team="data"} 1.0' in text
    assert "#ops" not in text
    telemetry.forget(KEY)
    assert 'name="m"' not in telemetry.render().decode()


def test_an_object_has_one_phase_its_weights_by_role_and_its_evidence_against_the_bounds() -> None:
    telemetry = Telemetry()
    text = report(telemetry, ModelDeploymentStatus(), canary(weight=10, evidence=2.65))
    assert 'headgate_rollout_phase{name="m",namespace="ml",phase="Progressing"} 1.0' in text
    assert 'headgate_rollouts{phase="Progressing"} 1.0' in text
    assert 'headgate_traffic_weight_percent{name="m",namespace="ml",role="stable"} 90.0' in text
    assert 'headgate_traffic_weight_percent{name="m",namespace="ml",role="candidate"} 10.0' in text
    assert 'headgate_rollback_evidence_ratio{metric="errors",name="m",namespace="ml"} 0.5' in text
    assert 'headgate_promotion_evidence_ratio{metric="errors",name="m",namespace="ml"} 0.25' in text
    text = report(telemetry, canary(), refused(weight=0))
    assert text.count("headgate_rollout_phase{") == 1
    assert 'role="candidate"' not in text
    assert 'metric="errors"' not in text


def to_zero(text: str) -> tuple[float, float]:
    """How many convictions were timed, and their seconds together."""
    count, total = (re.search(rf"headgate_evidence_to_zero_seconds_{part} (\S+)", text) for part in ("count", "sum"))
    assert count is not None
    assert total is not None
    return float(count[1]), float(total[1])


def test_the_way_to_weight_0_is_timed_from_the_counts_that_convicted_to_the_route_read_back() -> None:
    telemetry = Telemetry()
    counted = NOW - timedelta(seconds=0.5)
    assert to_zero(report(telemetry, canary(), refused(weight=10), counted_at=counted)) == (0, 0)
    assert to_zero(report(telemetry, refused(weight=10), refused(weight=10), now=NOW + timedelta(seconds=1))) == (0, 0)
    text = report(telemetry, refused(weight=10), refused(weight=0), now=NOW + timedelta(seconds=2))
    assert to_zero(text) == (1, 2.5)
    assert to_zero(report(telemetry, refused(weight=0), refused(weight=0), now=NOW + timedelta(seconds=9))) == (1, 2.5)


def test_a_refusal_without_evidence_is_timed_from_its_record_and_one_without_traffic_not_at_all() -> None:
    telemetry = Telemetry()
    aborted = refused(weight=10, evidence=None)
    report(telemetry, canary(), aborted, counted_at=NOW - timedelta(seconds=30))
    assert to_zero(report(telemetry, aborted, refused(weight=0), now=NOW + timedelta(seconds=1))) == (1, 1)
    dark = Telemetry()
    assert to_zero(report(dark, canary(weight=0), refused(weight=0))) == (0, 0)


def test_a_request_is_counted_by_verb_resource_and_code() -> None:
    telemetry = Telemetry()
    telemetry.request("patch", "httproutes", 409, 0.02)
    telemetry.request("patch", "httproutes", 0, 30.0)
    text = telemetry.render().decode()
    assert 'headgate_api_requests_total{code="409",resource="httproutes",verb="patch"} 1.0' in text
    assert 'headgate_api_requests_total{code="0",resource="httproutes",verb="patch"} 1.0' in text
    assert 'headgate_api_request_seconds_count{verb="patch"} 2.0' in text


def everything_served() -> dict[str, set[str]]:
    """The labels of every series, by its name as it is queried (a histogram's without its ending)."""
    telemetry = Telemetry()
    report(telemetry, canary(), refused(weight=10), owner=Owner(team="data"))
    telemetry.report(("ml", "other"), canary(), canary(), owner=None, now=NOW)
    telemetry.passes.labels("written").inc()
    telemetry.request("get", "httproutes", 200, 0.01)
    served: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(telemetry.render().decode()):
        if family.name.endswith("_created"):  # the client library's own
            continue
        name = f"{family.name}_total" if family.type == "counter" else family.name
        served[name] = {label for sample in family.samples for label in sample.labels} - {"le"}
    return served


def test_the_docs_list_what_metrics_serves_and_nothing_else() -> None:
    rows = re.findall(r"^\| `(headgate_\w+)` \| (.*?) \|", DOCS.read_text(), flags=re.MULTILINE)
    documented = {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in rows}
    assert documented == everything_served()
