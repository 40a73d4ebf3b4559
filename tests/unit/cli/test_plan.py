"""`headgate plan`: the timetable, what is caught, what it takes to promote, and the warnings in words."""

import json

import pytest
import yaml

FAST = {"rollout": {"watch": {"duration": "2m"}}}


@pytest.fixture
def plan(headgate, write, build):
    def run(*args, **spec):
        return headgate("plan", write(build(**(FAST | spec))), *args)

    return run


@pytest.fixture
def data(plan):
    def run(*args, **spec):
        result = plan("-o", "json", *args, **spec)
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)

    return run


def test_the_table_has_a_row_a_step_and_the_watch(plan) -> None:
    result = plan("--rate", "10", "--runs", "8")
    assert result.exit_code == 0, result.stderr
    rows = [line.split() for line in result.stdout.splitlines()]
    assert ["step", "1", "5", "%", "0s", "0s", "1m", "30", "100"] in [row[:9] for row in rows]
    assert ["step", "2", "25", "%", "1m"] in [row[:5] for row in rows]
    assert ["watch", "95", "%", "3m"] in [row[:4] for row in rows]
    assert "a good version: 8 of 8 promoted, 0 waited" in result.stdout
    assert "at most 1% by falseRollbackRate" in result.stdout
    assert result.stderr == ""


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others(plan) -> None:
    first, again, other = (plan("--rate", "5", "--runs", "4", "--seed", seed).stdout for seed in ("1", "1", "2"))
    assert first == again != other


def test_yaml_says_the_same_as_json(plan, data) -> None:
    assert yaml.safe_load(plan("-o", "yaml", "--rate", "10", "--runs", "2").stdout) == data("--rate", "10", "--runs", "2")


def test_a_step_needs_its_requests_whatever_its_duration(data) -> None:
    found = data("--rate", "2", "--runs", "4")
    first = found["stages"][0]
    assert first["candidateRequests"] == pytest.approx(6)
    assert first["ends"] > 0.8 * 100 / 0.1
    assert any(warning.startswith("step 1 (5 %) takes 16m40s rather than 1m: 100 candidate requests") for warning in found["warnings"])


def test_a_version_that_fails_altogether_is_caught_at_once(data) -> None:
    for stage in data("--rate", "50", "--runs", "8")["stages"][:-1]:
        five, ten, all_of_it = stage["caught"]
        assert (five["share"], ten["share"], all_of_it["share"]) == (0.05, 0.1, 1.0)
        assert all_of_it["seconds"]["median"] <= 60
        assert all_of_it["seconds"]["median"] <= min(ten["seconds"]["median"], five["seconds"]["median"])


def test_promotion_takes_the_requests_that_the_statistics_promise(data) -> None:
    evidence = data(
        "--rate", "20", "--runs", "20", "--base-error-rate", "0%", analysis={"metrics": [{"name": "e", "preset": "gateway-errors"}]}
    )
    assert 150 < evidence["promotionEvidence"]["candidateRequests"]["median"] < 400
    assert evidence["falseRollback"]["count"] == 0
    assert evidence["falseRollback"]["declared"] == 0.01


@pytest.mark.parametrize(
    ("args", "spec", "warning"),
    [
        (["--rate", "0.1"], {}, "step 1 (5 %) cannot end in time: 100 candidate requests take 5h33m20s at 0.1 requests a second"),
        (
            ["--rate", "0.1"],
            {},
            "the traffic is too small to promote a good version reliably: in 4 of 4 rehearsals",
        ),
        (
            ["--rate", "10"],
            {"rollout": {"steps": [{"weight": 5, "minDuration": "10s", "minRequests": 0}], "watch": {"duration": "0s"}}},
            "step 1 (5 %) lasts 10s, but needs 15s to notice a version that fails every request",
        ),
        (
            ["--rate", "10", "--base-error-rate", "5%"],
            {"analysis": {"metrics": [{"name": "errors", "preset": "gateway-errors", "maximum": "1%"}]}},
            "errors: 5% of a good version's answers are bad, more than maximum 1% allows",
        ),
        (["--rate", "40"], {"paused": True}, "the manifest says `paused: true`"),
        (["--rate", "40"], {"rollout": {"steps": [{"weight": 25}, {"pause": True}, {"weight": 50}]}}, "pause steps wait for"),
        (
            ["--rate", "1"],
            {"rollout": {"maxDuration": "5m", "watch": {"duration": "0s"}}},
            "the traffic is too small to promote a good version reliably: in 4 of 4 rehearsals the evidence was not there in time "
            "(holdTimeout 1h and maxDuration 5m)",
        ),
        (["--rate", "40"], {"rollout": {"watch": {"duration": "1h", "holdback": 0}}}, "the watch has nothing to compare with"),
    ],
    ids=[
        "too few for a step",
        "too few to promote",
        "noticed late",
        "misses the objective",
        "paused",
        "pause",
        "maxDuration",
        "no holdback",
    ],
)
def test_a_plan_that_does_not_fit_its_traffic_is_warned_about_in_words(data, args, spec, warning) -> None:
    warnings = data(*args, "--runs", "4", **({"rollout": {"holdTimeout": "10m", "watch": {"duration": "2m"}}} | spec))["warnings"]
    assert any(one.startswith(warning) for one in warnings), warnings


def test_a_plan_that_fits_has_no_warnings(data) -> None:
    assert data("--rate", "100", "--runs", "4")["warnings"] == []


@pytest.mark.parametrize(
    ("args", "code", "sentence"),
    [
        ([], 2, "Missing option '--rate'"),
        (["--rate", "0"], 2, "0.0 is not in the range 0.001<=x<=10000"),
        (["--rate", "1", "--base-error-rate", "5"], 2, "'5' is not a share: write a percentage"),
        (["--rate", "1", "--runs", "0"], 2, "0 is not in the range"),
    ],
)
def test_wrong_usage_is_one_sentence(plan, args, code, sentence) -> None:
    result = plan(*args)
    assert (result.exit_code, result.stdout) == (code, "")
    assert sentence in result.stderr


def test_a_broken_manifest_is_one_sentence(headgate, write, build) -> None:
    broken = build(rolout={}, parity={"mode": "Sometimes"})
    result = headgate("plan", write(broken), "--rate", "1")
    assert result.exit_code == 1
    assert "spec.rolout: unknown field, did you mean rollout?" in result.stderr
    assert "(and 1 more: see `headgate lint`)" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_plan_is_made_for_one_model_deployment(headgate, write, build) -> None:
    config_map = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "golden"}}
    assert headgate("plan", write(config_map, build(**FAST)), "--rate", "50", "--runs", "1").exit_code == 0
    assert "2 documents of kind ModelDeployment; a plan is made for one" in headgate("plan", write(build(), build()), "--rate", "1").stderr
    assert "no documents of kind ModelDeployment" in headgate("plan", write(config_map), "--rate", "1").stderr


def test_a_watch_of_days_is_rehearsed_for_its_beginning_and_says_so(data) -> None:
    found = data("--rate", "2", "--runs", "1", analysis={"interval": "2s"}, rollout={"watch": {"duration": "7d"}})
    assert "of the watch of 7d the first 1h6m40s are rehearsed; what comes later is not counted." in found["warnings"]
    watch = found["stages"][-1]
    assert watch["minDuration"] == 7 * 86400
    assert watch["ends"] > 7 * 86400, "it still lasts as long as the manifest says"


@pytest.mark.parametrize(
    ("runs", "days", "remedy"),
    [("500", "1d", "rehearsed 500 times; try --runs "), ("1", "400d", "rehearsed 1 times; rehearse it with shorter steps")],
)
def test_steps_of_days_that_would_take_hours_to_rehearse_are_refused_with_a_way_out(plan, runs, days, remedy) -> None:
    steps = [{"weight": weight, "minDuration": days} for weight in (5, 25, 50)]
    result = plan("--rate", "10", "--runs", runs, rollout={"steps": steps, "maxDuration": "2000d"})
    assert result.exit_code == 2
    assert remedy in result.stderr
    assert len(result.stderr.splitlines()) == 1
