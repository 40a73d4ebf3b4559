"""The monitor repeats the operator's types, because neither may import the other: what one writes, the other reads."""

from typing import Any

import pytest
from pydantic import BaseModel

from headgate_monitor.collector.events import Event
from headgate_monitor.service import wire
from headgate_operator.api.names import PARITY_HEADER
from headgate_operator.api.spec import Drift, GroundTruth
from headgate_operator.metrics import monitor

QUESTIONS = [
    {"stable": {"id": "r1", "reference": "file:///m/1"}},
    {
        "stable": {"id": "r1", "reference": "file:///m/1"},
        "trial": {"id": "r2", "reference": "file:///m/2"},
        "trialWeight": 25,
        "drift": {
            "onPredictionDrift": "Rollback",
            "window": {"rows": 700, "duration": "1h30m", "minimumRows": 40},
            "targetFalseAlarmInterval": "90d",
            "features": {"include": ["a", "b"], "exclude": ["b"]},
        },
        "groundTruth": {"margin": 0.05, "metric": "logLoss", "horizon": "3d", "joinOn": "x-prediction"},
        "errorRate": 0.002,
        "retraining": {"inputDrift": False, "skillDrop": "12.5%", "accuracyDrop": "5%"},
    },
]


def fields(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema(by_alias=True)
    definitions: dict[str, Any] = schema.get("$defs", {})
    return {name: sorted(one["properties"]) for name, one in definitions.items() if "properties" in one} | {
        "": sorted(schema["properties"])
    }


def settings(drift: wire.Drift | Drift) -> tuple[Any, ...]:
    window, features = drift.window, drift.features
    interval = drift.target_false_alarm_interval
    return window.rows, window.duration, window.minimum_rows, interval, features.include, features.exclude


def truth(asked: wire.GroundTruth | GroundTruth) -> tuple[Any, ...]:
    return asked.join_on, asked.horizon, str(asked.metric), asked.margin


@pytest.mark.parametrize("content", QUESTIONS)
def test_what_the_operator_asks_is_what_the_monitor_understands(content: dict[str, Any]) -> None:
    asked = monitor.Question.model_validate(content)
    understood = wire.Question.model_validate_json(asked.model_dump_json(by_alias=True, exclude_none=True))
    assert understood.stable.model_dump() == asked.stable.model_dump()
    assert understood.trial_weight == asked.trial_weight
    assert (understood.trial is None) == (asked.trial is None)
    if asked.drift is not None:
        assert understood.drift is not None
        assert settings(understood.drift) == settings(asked.drift)
    assert understood.error_rate == asked.error_rate
    if asked.ground_truth is not None:
        assert understood.ground_truth is not None
        assert truth(understood.ground_truth) == truth(asked.ground_truth)
    if asked.retraining is not None:
        assert understood.retraining is not None
        assert understood.retraining.model_dump() == asked.retraining.model_dump(include=set(type(understood.retraining).model_fields)) | {
            "skill_drop": pytest.approx(0.125), "accuracy_drop": pytest.approx(0.05),
        }  # fmt: skip


def test_the_monitors_questions_have_no_field_that_the_operators_lack_and_the_same_bounds() -> None:
    own, theirs = fields(wire.Question), fields(monitor.Question)
    assert set(own[""]) <= set(theirs[""])
    assert own["Version"] == theirs["Version"]
    assert own["Window"] == theirs["Window"]
    assert own["Features"] == theirs["DriftFeatures"]
    assert set(own["Drift"]) <= set(theirs["Drift"])
    assert set(own["Triggers"]) <= set(theirs["RetrainingTriggers"])
    assert set(own["GroundTruth"]) <= set(theirs["GroundTruth"])
    assert settings(wire.Drift()) == settings(Drift())
    assert truth(wire.GroundTruth()) == truth(GroundTruth())


def test_what_the_monitor_answers_is_what_the_operator_reads() -> None:
    assert fields(wire.Answer) == fields(monitor.Answer)
    said = wire.Verdict(signal=wire.Signal.SEVERE, message="a 0.40")
    top = [wire.DriftedFeature(feature="a", distance=0.4)]
    sent = wire.Answer(window=7, reference="sha256:" + "0" * 64, prediction=said, top=top)
    read = monitor.Answer.model_validate_json(sent.model_dump_json(by_alias=True), extra="forbid")
    assert read.model_dump() == sent.model_dump()
    assert list(map(str, wire.Signal)) == list(map(str, monitor.Signal))


def test_both_know_the_operators_own_requests_by_one_header() -> None:
    assert Event("m", "r1", "1", True, b"", f'{{"{PARITY_HEADER.title()}": ["1"]}}').parity
