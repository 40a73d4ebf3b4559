"""What is counted as what, how long a series lives, and that the docs list exactly what is served."""

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from headgate_operator.api.spec import Owner
from headgate_operator.api.status import (
    AnalysisStatus,
    Candidate,
    Condition,
    ConditionStatus,
    ConditionType,
    MetricStatus,
    ModelDeploymentStatus,
    Phase,
    Previous,
    RefusalEvidence,
    RegistryMark,
    RegistryStatus,
    Rejected,
    Rendered,
    RetrainingStatus,
    RunState,
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


def condition(kind: ConditionType, status: ConditionStatus, reason: str) -> Condition:
    return Condition(type=kind, status=status, reason=reason, observed_generation=1, last_transition_time=NOW)


def held(reason: str = "ProviderError") -> ModelDeploymentStatus:
    """A canary on hold, whose conditions are partly well, partly not, partly not known."""
    before = canary()
    assert before.candidate is not None
    return before.model_copy(
        update={
            "candidate": before.candidate.model_copy(update={"hold_since": NOW, "hold_reason": reason}),
            "conditions": [
                condition(ConditionType.READY, ConditionStatus.TRUE, "Healthy"),
                condition(ConditionType.RECONCILING, ConditionStatus.TRUE, reason),
                condition(ConditionType.CANDIDATE_ACCEPTED, ConditionStatus.UNKNOWN, reason),
                condition(ConditionType.ANALYSIS_AVAILABLE, ConditionStatus.FALSE, reason),
                condition(ConditionType.INPUT_DRIFT, ConditionStatus.TRUE, "WorldChanged"),
            ],
            "registry": RegistryStatus(
                tracking_uri="http://mlflow", name="delays", alias="candidate", version="7", uri="s3://m/7",
                marks=[RegistryMark(version="7", at=NOW, failures=2), RegistryMark(version="6", at=NOW)],
            ),
        }
    )  # fmt: skip


def test_only_conditions_that_are_not_as_they_should_be_are_trouble_and_a_hold_says_since_when() -> None:
    text = report(Telemetry(), canary(), held())
    assert set(re.findall(r"headgate_trouble\{condition=\"(\w+)\"", text)) == {"AnalysisAvailable", "InputDrift"}
    assert 'headgate_trouble{condition="AnalysisAvailable",name="m",namespace="ml",reason="ProviderError"} 1.0' in text
    assert f'headgate_hold_since_timestamp_seconds{{name="m",namespace="ml",reason="ProviderError"}} {NOW.timestamp()}' in text
    assert 'headgate_registry_version{alias="candidate",model="delays",name="m",namespace="ml",version="7"} 1.0' in text
    assert 'headgate_registry_unwritten{name="m",namespace="ml"} 1.0' in text


def test_versions_are_told_by_role_with_their_place_in_the_route() -> None:
    text = report(Telemetry(), ModelDeploymentStatus(), canary())
    roles = re.findall(r'headgate_version_since_timestamp_seconds\{.*revision="(\w+)",role="(\w+)",slot="(\d?)",version="(\d)"\}', text)
    assert roles == [("r1", "stable", "0", "1"), ("r2", "candidate", "1", "2")]


def trained(state: RunState, trigger: str = "w7") -> ModelDeploymentStatus:
    return ModelDeploymentStatus(retraining=RetrainingStatus(last_trigger=trigger, at=NOW, endpoint="http://kfp", state=state))


def test_a_training_run_is_counted_once_when_it_starts_and_once_when_it_ends() -> None:
    telemetry, nothing = Telemetry(), ModelDeploymentStatus()
    looks = [nothing, *map(trained, (RunState.STARTING, RunState.PENDING, RunState.RUNNING, RunState.SUCCEEDED, RunState.SUCCEEDED))]
    looks += [trained(RunState.STARTING, "w9"), trained(RunState.NOT_STARTED, "w9"), trained(RunState.NOT_STARTED, "w9")]
    for before, after in pairwise(looks):
        text = report(telemetry, before, after)
    counted = dict(re.findall(r'headgate_retraining_runs_total\{result="(\w+)"\} (\d)', text))
    assert counted == {"started": "2", "succeeded": "1", "failed": "1"}
    assert f'headgate_retraining_run_timestamp_seconds{{name="m",namespace="ml",state="NotStarted"}} {NOW.timestamp()}' in text


def test_rare_things_are_counted_from_zero_so_that_the_first_of_them_is_an_increase() -> None:
    text = Telemetry().render().decode()
    assert 'headgate_rollbacks_total{reason="ErrorsWorse"} 0.0' in text
    assert 'headgate_retraining_runs_total{result="failed"} 0.0' in text


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
    telemetry.report(("ml", "third"), canary(), held(), owner=None, now=NOW)
    telemetry.report(("ml", "fourth"), canary(), trained(RunState.RUNNING), owner=None, now=NOW)
    telemetry.passes.labels("written").inc()
    telemetry.audited("written", 1)
    telemetry.request("get", "httproutes", 200, 0.01)
    served: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(telemetry.render().decode()):
        if family.name.endswith("_created") or family.name.startswith("process_"):  # the client library's own
            continue
        name = f"{family.name}_total" if family.type == "counter" else family.name
        served[name] = {label for sample in family.samples for label in sample.labels} - {"le"}
    return served


def test_the_docs_list_what_metrics_serves_and_nothing_else() -> None:
    rows = re.findall(r"^\| `(headgate_\w+)` \| (.*?) \|", DOCS.read_text(), flags=re.MULTILINE)
    documented = {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in rows}
    assert documented == everything_served()
