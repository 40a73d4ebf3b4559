"""`headgate render`: plain YAML, offline, the same every time."""

from pathlib import Path

import pytest
import yaml

GOLDEN = Path(__file__).parents[2] / "fixtures" / "render"
NEW, STABLE, RUNTIME = (str(GOLDEN / name) for name in ("new.yaml", "stable.yaml", "runtime.yaml"))
ROLLOUT = ("render", NEW, "--stable", STABLE, "--runtime", RUNTIME)


def documents(text):
    return [document for document in yaml.safe_load_all(text) if document]


def of_kind(kind, text):
    return [document for document in documents(text) if document["kind"] == kind]


def shares(text):
    """The weights of each route, by revision."""
    found = []
    for route in of_kind("HTTPRoute", text):
        backends = route["spec"]["rules"][0]["backendRefs"]
        assert sum(backend["weight"] for backend in backends) == 100
        found.append({backend["name"]: backend["weight"] for backend in backends if backend["weight"]})
    return found


def test_a_whole_rollout_is_the_one_on_file(headgate):
    result = headgate(*ROLLOUT)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == (GOLDEN / "rollout.yaml").read_text(), "if it is meant, write it with -o"
    assert headgate(*ROLLOUT).stdout == result.stdout


def test_every_step_has_its_route_and_the_replicas_grow_with_it(headgate):
    text = headgate(*ROLLOUT).stdout
    assert [sorted(share.values()) for share in shares(text)] == [[100], [5, 95], [25, 75], [50, 50], [5, 95], [100]]
    new = of_kind("InferenceService", text)[-1]["metadata"]["name"]
    sizes = [one["spec"]["predictor"]["minReplicas"] for one in of_kind("InferenceService", text) if one["metadata"]["name"] == new]
    assert sizes == [1, 2, 4]


@pytest.mark.parametrize(("weight", "services"), [(0, 2), (30, 2), (100, 1)])
def test_at_one_weight_everything_is_there_once(headgate, weight, services):
    text = headgate(*ROLLOUT, "--weight", weight).stdout
    names = [(document["kind"], document["metadata"]["name"]) for document in documents(text)]
    assert len(names) == len(set(names)) == 2 * services + 1
    assert [sorted(share.values()) for share in shares(text)] == [sorted({weight, 100 - weight} - {0})]


def test_alone_a_version_has_all_the_traffic(headgate):
    text = headgate("render", NEW, RUNTIME).stdout
    assert [document["kind"] for document in documents(text)] == ["ServingRuntime", "InferenceService", "HTTPRoute"]
    assert shares(text)[0].popitem()[1] == 100


def test_a_manifest_that_changes_no_revision_starts_none(headgate, write, build):
    same = headgate("render", write(build(), name="a.yaml"), "--stable", write(build(paused=True), name="b.yaml"), "--runtime", RUNTIME)
    assert len(of_kind("InferenceService", same.stdout)) == 1


def test_nothing_names_an_owner_that_only_a_cluster_knows(headgate):
    assert "ownerReferences" not in headgate(*ROLLOUT).stdout


def test_a_mirrored_strategy_gets_copies_before_the_switch(headgate, write, build):
    new = build(rollout={"strategy": "BlueGreen", "shadowPercent": 40, "watch": {"duration": "0s"}})
    new["spec"]["model"] |= {"uri": "s3://models/flight-delay/8"}
    text = headgate("render", write(new), "--stable", NEW, "--runtime", RUNTIME).stdout
    filters = [route["spec"]["rules"][0].get("filters") for route in of_kind("HTTPRoute", text)]
    assert [entry and entry[0]["requestMirror"]["percent"] for entry in filters] == [None, 40, None]


def test_in_knative_mode_it_is_one_inference_service_with_a_percentage(headgate, write, build):
    old, new = build(serving={"mode": "Knative"}), build(serving={"mode": "Knative"})
    new["spec"]["model"] |= {"uri": "s3://models/flight-delay/8"}
    text = headgate("render", write(new, name="n.yaml"), "--stable", write(old, name="o.yaml"), "--runtime", RUNTIME).stdout
    services = of_kind("InferenceService", text)
    assert {service["metadata"]["name"] for service in services} == {"flight-delay"}
    assert [service["spec"]["predictor"]["canaryTrafficPercent"] for service in services] == [100, 0, 5, 25, 50, 95, 100]
    assert of_kind("HTTPRoute", text) == []


def test_it_writes_a_file(headgate, tmp_path):
    assert headgate(*ROLLOUT, "-o", tmp_path / "out.yaml").stdout == ""
    assert (tmp_path / "out.yaml").read_text() == headgate(*ROLLOUT).stdout
    assert "cannot be written" in headgate(*ROLLOUT, "-o", tmp_path / "no" / "out.yaml").stderr


def test_an_alias_needs_a_uri_and_is_then_the_same_revision(headgate, write, build):
    following = build()
    uri = following["spec"]["model"].pop("uri")
    following["spec"]["model"]["registry"] = {"name": "flight-delay", "alias": "candidate", "trackingURI": "http://mlflow:5000"}
    path, plain = write(following), write(build(), name="plain.yaml")
    refused = headgate("render", path, "--runtime", RUNTIME)
    assert (refused.exit_code, "name the model's URI with --uri" in refused.stderr) == (1, True)
    assert headgate("render", path, "--runtime", RUNTIME, "--uri", uri).stdout == headgate("render", plain, "--runtime", RUNTIME).stdout
    assert "for one manifest that follows an alias" in headgate("render", NEW, "--runtime", RUNTIME, "--uri", uri).stderr


@pytest.mark.parametrize(
    ("options", "code", "sentence"),
    [
        ((NEW,), 1, "the serving runtime headgate-xgboost is in none of the files; name its file with --runtime"),
        ((NEW, "--weight", "5"), 2, "--weight needs --stable"),
        ((RUNTIME,), 1, "no ModelDeployment in"),
        ((NEW, "--gateway", "here"), 2, "write <namespace>/<name>"),
        (("nowhere.yaml",), 1, "cannot be read"),
        ((NEW, "--runtime", RUNTIME, "--weight", "5", "--stable", RUNTIME), 1, "no ModelDeployment of --stable"),
    ],
)
def test_bad_input_is_told_in_one_sentence(headgate, options, code, sentence):
    result = headgate("render", *options)
    assert (result.exit_code, result.stdout) == (code, "")
    assert sentence in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_mode_cannot_be_changed(headgate, write, build):
    new = build(serving={"mode": "Knative"})
    new["spec"]["model"] |= {"uri": "s3://models/flight-delay/8"}
    assert "spec.serving.mode is immutable" in headgate("render", write(new), "--stable", NEW, "--runtime", RUNTIME).stderr


def test_a_broken_manifest_is_refused_as_lint_refuses_it(headgate, write, build):
    result = headgate("render", write(build(rollout={"steps": [{"weight": 50}, {"weight": 5}]})), "--runtime", RUNTIME)
    assert (result.exit_code, "must rise" in result.stderr) == (1, True)
