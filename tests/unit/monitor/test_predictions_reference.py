"""A version's predictions beside those of its own reference: kept, read back, compared window by window, and only told."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from headgate_monitor.detectors import DriftError, Reference, fit_reference, read_reference, with_predictions
from headgate_monitor.service.windows import windows_json
from headgate_monitor.watch.alarm import Signal
from headgate_monitor.watch.deployment import DeploymentState, DeploymentWatch, Plan, Version
from headgate_monitor.watch.rows import Rows
from headgate_monitor.watch.settings import Windows

STATE = TypeAdapter(DeploymentState)
FRESH = DeploymentState()


def plain() -> Reference:
    return fit_reference({"a": np.random.default_rng(0).normal(size=2000).tolist()}, range(2000), {"a": "number"}, window_rows=200)


def fitted(values: Any = None) -> Reference:
    found = np.random.default_rng(1).uniform(size=1000) if values is None else values
    return with_predictions(plain(), found, range(len(found)))


def watch(reference: Reference, state: DeploymentState = FRESH, *, only: frozenset[str] | None = None) -> DeploymentWatch:
    windows = Windows(rows=200, include=only)
    plan = Plan(stable=Version("r1", reference), trial=Version("r2", reference), weight=20, windows=windows)
    return DeploymentWatch(plan, at=0, state=state)


def feed(watched: DeploymentWatch, version: str, predictions: Any, *, seed: int = 3) -> None:
    rows = np.random.default_rng(seed).normal(size=len(predictions))
    watched.add(version, Rows({"a": rows.tolist()}, len(predictions)), list(predictions), 1.0)
    watched.advance(2.0)


def test_predictions_survive_the_folder_and_their_floor_is_learned_in_the_order_of_time(tmp_path: Path) -> None:
    reference = fitted(np.random.default_rng(1).uniform(size=1000) * np.linspace(0.3, 1, 1000))
    reference.write(tmp_path)
    found, kept = read_reference(tmp_path).predictions, reference.predictions
    assert found is not None
    assert kept is not None
    assert found.features == kept.features
    assert (found.fitted_rows, found.window_rows) == (1000, 200)
    np.testing.assert_array_equal(found.matrix, kept.matrix)
    assert found.features[0].calibrated
    assert found.features[0].floor > 0.3


def test_a_reference_without_predictions_is_written_and_read_as_ever(tmp_path: Path) -> None:
    fitted().write(tmp_path)
    plain().write(tmp_path)  # over one that had some
    assert sorted(path.name for path in tmp_path.iterdir()) == ["reference.npz", "schema.json"]
    schema = json.loads((tmp_path / "schema.json").read_text())
    assert (schema["format"], "predictions" in schema) == (2, False)
    assert read_reference(tmp_path).predictions is None


def test_predictions_that_were_changed_or_lost_are_refused(tmp_path: Path) -> None:
    fitted().write(tmp_path)
    np.savez_compressed(tmp_path / "predictions.npz", matrix=np.zeros((1000, 1)))
    with pytest.raises(DriftError, match=r"predictions\.npz was changed after it was written"):
        read_reference(tmp_path)
    (tmp_path / "predictions.npz").unlink()
    with pytest.raises(DriftError, match=r"lacks a readable predictions\.npz"):
        read_reference(tmp_path)


@pytest.mark.parametrize("values", [[0.5] * 99, [0.5] * 200 + [float("nan")]])
def test_predictions_that_nothing_can_be_compared_with_are_refused(values: list[float]) -> None:
    with pytest.raises(DriftError, match="needs at least 100, all of them numbers"):
        fitted(values)


def test_each_version_is_compared_with_its_own_evaluation_and_answers_that_are_no_numbers_are_left_out() -> None:
    watched = watch(fitted(), only=frozenset({"a"}))  # whatever features the manifest watches
    random = np.random.default_rng(5)
    feed(watched, "r1", [*random.uniform(size=250), float("nan")])
    feed(watched, "r2", random.uniform(size=250) ** 3)
    said = watched.verdicts(2.0)
    assert (said.output.signal, said.candidate_output.signal) == (Signal.CLEAN, Signal.SEVERE)
    assert said.candidate_output.message.startswith("the trial's predictions against the reference: prediction 0.")
    assert {said.input.signal, said.candidate_input.signal, said.routing.signal} == {Signal.CLEAN}


def test_without_predictions_in_the_reference_the_comparison_is_unknown_and_says_why() -> None:
    watched = watch(plain())
    feed(watched, "r1", np.random.default_rng(5).uniform(size=250))
    said = watched.verdicts(2.0).output
    assert (said.signal, said.message) == (Signal.UNKNOWN, "stable's reference holds no predictions")


def test_the_verdict_survives_a_restart_and_state_of_before_is_read() -> None:
    watched = watch(fitted())
    feed(watched, "r1", np.random.default_rng(5).uniform(size=250) ** 3)
    written = STATE.dump_json(watched.state)
    assert watch(fitted(), STATE.validate_json(written)).verdicts(3.0).output == watched.verdicts(3.0).output
    older = {name: value for name, value in json.loads(written).items() if name != "outputs"}
    assert STATE.validate_json(json.dumps(older)).inputs == watched.state.inputs


def test_people_see_the_windows_of_predictions() -> None:
    watched = watch(fitted())
    feed(watched, "r1", np.random.default_rng(5).uniform(size=250) ** 3)
    shown = json.loads(windows_json(watched.state))["predictions"]["r1"]
    assert shown["reference"]["signal"] == "Severe"
    assert [feature["name"] for feature in shown["features"]] == ["prediction"]
    assert list(shown["windows"][0]["distances"]) == ["prediction"]
