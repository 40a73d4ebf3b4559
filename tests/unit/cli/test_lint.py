"""`headgate lint`: every mistake is one sentence that says where it is and what is allowed."""

import subprocess
import sys

import pytest


def test_a_valid_manifest_is_told_back_in_words(headgate, write, build) -> None:
    steps = [{"weight": 10, "minDuration": "15s", "minRequests": 50}, {"weight": 50, "minDuration": "1m", "minRequests": 80}]
    result = headgate("lint", write(build(rollout={"steps": steps, "watch": {"duration": "20s", "holdback": 10}})))
    assert result.exit_code == 0
    assert "ModelDeployment ml/flight-delay is valid" in result.stdout
    assert "10 % for at least 15s and 50 requests, then 50 % for at least 1m and 80 requests: 1m15s at least" in result.stdout
    assert "For 20s after promotion it is still compared with the previous version, which keeps 10 % of the traffic" in result.stdout
    assert result.stderr == ""


@pytest.mark.parametrize(
    ("parity", "said"),
    [
        ({"mode": "Off"}, "Its answers are not checked before it gets traffic (parity is Off)"),
        ({}, "the manifest names no golden set"),
        ({"mode": "Required", "golden": {"configMap": "g7"}}, "It must first reproduce the golden answers of ConfigMap g7"),
    ],
    ids=["off", "without golden set", "required"],
)
def test_the_words_say_what_parity_will_do(headgate, write, build, parity, said) -> None:
    assert said in headgate("lint", write(build(parity=parity))).stdout


HIDDEN = "Where it is late or fails, its server answers 0.24 instead, with HTTP 200: no metric here sees that"
COUNTED = {"bad": "headgate_serving_fallbacks_total{pod=~'{{isvc}}-.+'}", "total": "headgate_serving_answers_total{pod=~'{{isvc}}-.+'}"}


@pytest.mark.parametrize(
    ("predictor", "metrics", "hidden"),
    [
        ({"args": ["--fallback=prior", "--fallback=0.24"]}, [], True),
        ({"env": [{"name": "HEADGATE_SERVING_FALLBACK", "value": "0.24"}]}, [], True),
        ({"args": ["--fallback=0.24", "--fallback=off"]}, [], False),
        ({"args": ["--fallback=0.24"]}, [{"name": "fallbacks", "prometheus": COUNTED}], False),
        ({"args": ["--fallback=0.24"]}, [{"name": "fallbacks", "preset": "fallbacks"}], False),
        ({}, [], False),
    ],
)
def test_a_fallback_that_no_metric_counts_is_pointed_out(headgate, write, build, predictor, metrics, hidden) -> None:
    metrics = [{"name": "errors", "preset": "gateway-errors"}, *metrics]
    analysis = {"provider": {"prometheus": {"address": "http://prometheus.monitoring:9090"}}, "metrics": metrics}
    result = headgate("lint", write(build(predictor=predictor, analysis=analysis)))
    assert result.exit_code == 0, result.stderr
    assert (HIDDEN in result.stdout) is hidden


@pytest.mark.parametrize(
    ("analysis", "said"),
    [
        (
            {"provider": {"prometheus": {"address": "http://prometheus.monitoring:9090"}}},
            "answers with its fallback more often than stable",
        ),
        ({}, "such answers are compared, too, if the operator reads a Prometheus"),
        ({"provider": {"envoy": {"addresses": ["http://10.0.0.7:19001"]}}}, "no metric here sees that. Add one of preset fallbacks"),
    ],
    ids=["of a Prometheus", "of the operator's provider", "of a proxy"],
)
def test_fallbacks_are_judged_where_nobody_chose_metrics_and_they_can_be_counted(headgate, write, build, analysis, said) -> None:
    assert said in headgate("lint", write(build(predictor={"args": ["--fallback=0.24"]}, analysis=analysis))).stdout


def test_a_version_of_a_registry_brings_its_golden_set_along(headgate, write, build) -> None:
    registry = {"name": "flight-delay", "alias": "candidate", "trackingURI": "http://mlflow.mlflow:5000"}
    model = {"registry": registry, "format": {"name": "xgboost"}, "runtime": "headgate-xgboost"}
    said = "It must first reproduce the golden answers of its tag headgate.golden in the registry; without that tag they are not checked;"
    assert said in headgate("lint", write(build(model=model))).stdout


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"rollout": {"steps": [{"weight": 10}, {"pause": True}, {"weight": 50}]}}, "then a pause until `headgate promote`, then 50 % for"),
        (
            {"rollout": {"steps": [{"weight": 10}, {"pause": True}]}},
            "requests, then a pause until `headgate promote`: 1m at least",
        ),
        ({"rollout": {"maxDuration": "1d"}}, "3m at least, 1d at most (not counting pauses)"),
        ({"rollout": {"onInsufficientData": "Rollback"}}, "it holds for up to 1h, then it is refused"),
        ({"rollout": {"onInsufficientData": "Promote"}}, "it holds for up to 1h, then it continues without them"),
        ({"analysis": {"requirePromotionEvidence": False}}, "it is promoted without evidence that it is good"),
        ({"paused": True}, "The manifest says `paused: true`: nothing moves"),
    ],
)
def test_the_words_say_what_pauses_and_policies_do(headgate, write, build, spec, said) -> None:
    assert said in headgate("lint", write(build(**spec))).stdout


def test_the_words_say_that_there_is_no_watch(headgate, write, build) -> None:
    result = headgate("lint", write(build(rollout={"watch": {"duration": "0s"}})))
    assert "There is no watch after promotion" in result.stdout


@pytest.mark.parametrize(
    ("change", "sentences"),
    [
        (lambda m: m["spec"].update(rolout={}), ["spec.rolout: unknown field, did you mean rollout? allowed here: owner, model"]),
        (
            lambda m: m["spec"]["model"].update(uri="models:/flight-delay/7"),
            ["spec.model.uri: models:/ and mlflow-artifacts: URIs cannot be"],
        ),
        (
            lambda m: m["spec"].update(rollout={"steps": [{"weight": 50}, {"weight": 25}]}),
            ["spec.rollout.steps: weights of the steps must rise from step to step, such as 5, 25, 50"],
        ),
        (lambda m: m["metadata"].update(name="x" * 60), ["metadata.name must be at most 40 characters long"]),
        (
            lambda m: m["spec"].update(rollout={"holdTimeout": "1 hour"}),
            ["spec.rollout.holdTimeout: '1 hour' is not a duration: write a number and a unit (ms, s, m, h, d), such as 90s"],
        ),
        (lambda m: m.pop("spec"), ["spec: is required"]),
        (lambda m: m.update(apiVersion="headgate.dev/v1"), ["apiVersion: must be headgate.dev/v1alpha1, not 'headgate.dev/v1'"]),
    ],
    ids=["unknown field", "models URI", "falling weights", "long name", "duration", "no spec", "version"],
)
def test_a_broken_manifest_is_refused_with_what_is_allowed(headgate, write, build, change, sentences) -> None:
    broken = build()
    change(broken)
    path = write(broken)
    result = headgate("lint", path)
    assert result.exit_code == 1
    assert "is valid" not in result.stdout
    for sentence in sentences:
        assert sentence in result.stderr
    assert all(line.startswith(f"headgate: error: {path}: ") for line in result.stderr.splitlines())


def test_all_mistakes_of_a_file_are_told_at_once(headgate, write, build) -> None:
    broken = build(rolout={})
    broken["spec"]["model"]["uri"] = "models:/x/1"
    assert len(headgate("lint", write(broken)).stderr.splitlines()) == 2


def test_one_bad_document_among_good_ones_is_named_and_other_kinds_are_skipped(headgate, write, build) -> None:
    path = write(build(), {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "golden"}}, build(parity={"mode": "Sometimes"}))
    result = headgate("lint", path)
    assert result.exit_code == 1
    assert f"{path} (document 1): ModelDeployment ml/flight-delay is valid" in result.stdout
    assert f"{path} (document 2): skipped, ConfigMap golden is not a ModelDeployment" in result.stdout
    assert f"{path} (document 3): spec.parity.mode: " in result.stderr


def test_a_list_of_objects_is_read_like_several_documents(headgate, write, build) -> None:
    result = headgate("lint", write({"apiVersion": "v1", "kind": "List", "items": [build(), build()]}))
    assert result.exit_code == 0
    assert result.stdout.count("is valid") == 2


def test_standard_input_is_read_for_a_dash(headgate, write, build) -> None:
    result = headgate("lint", "-", stdin=write(build()).read_text())
    assert result.exit_code == 0
    assert "standard input: ModelDeployment ml/flight-delay is valid" in result.stdout


def test_quiet_prints_problems_only(headgate, write, build) -> None:
    assert headgate("lint", "-q", write(build())).output == ""


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: [1, 2", "not YAML: "),
        ("a: 1\nb: {c: 1, c: 2}\n", "the key 'c' is there twice in line 2"),
        ("retraining: {on: {skillDrop: 50%}}", 'kubectl reads the key on as a truth value, so write "on", in line 1'),
        ("", "no documents in it"),
        ("just words", "is not an object: a manifest is a mapping"),
        ("- 1\n- 2\n", "is not an object"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n", "no ModelDeployment in"),
        ("!!python/object/apply:os.system [ls]", "not YAML: "),
    ],
    ids=["broken", "duplicate key", "on", "empty", "words", "list", "nothing of ours", "python tag"],
)
def test_a_file_that_is_no_manifest_gets_one_sentence(headgate, write, text, sentence) -> None:
    result = headgate("lint", write(text))
    assert result.exit_code == 1
    assert sentence in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_unreadable_files_get_one_sentence_each_and_do_not_hide_the_others(headgate, write, build, tmp_path) -> None:
    binary = tmp_path / "model.ubj"
    binary.write_bytes(b"\xff\xfe\x00\x01")
    result = headgate("lint", tmp_path / "absent.yaml", binary, tmp_path, write(build()))
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        f"headgate: error: {tmp_path}/absent.yaml: cannot be read: No such file or directory",
        f"headgate: error: {binary}: is not UTF-8 text; manifests are written in UTF-8",
        f"headgate: error: {tmp_path}: cannot be read: Is a directory",
    ]
    assert "is valid" in result.stdout


def test_numbers_are_read_as_kubectl_reads_them(headgate, write, build) -> None:
    text = write(build()).read_text() + "  parity: {tolerance: {absolute: 1e-4, relative: 1E-3}}\n"
    result = headgate("lint", write(text, name="numbers.yaml"))
    assert result.exit_code == 0, result.stderr
    assert headgate("lint", write(build(model=build()["spec"]["model"] | {"format": {"name": "x", "version": 3}}))).exit_code == 1


def test_lint_imports_neither_a_cluster_client_nor_the_pipelines() -> None:
    code = (
        "import sys; from headgate_operator.cli.main import main, _own; _own('lint'); "
        "print([m for m in ('kubernetes', 'kopf', 'aiohttp', 'kfp', 'kserve', 'mlflow', 'rich') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_yaml_that_is_no_kubernetes_object_gets_one_sentence(headgate, tmp_path) -> None:
    path = tmp_path / "values.yaml"
    path.write_text("replicaCount: 2\nimage: {tag: v1}\n")
    result = headgate("lint", str(path))
    assert result.exit_code == 1
    assert result.stderr == (
        f"headgate: error: {path}: is no Kubernetes object: it has neither apiVersion nor kind nor metadata, but replicaCount, image\n"
    )


def test_a_document_that_says_nothing_is_told_so(headgate, tmp_path) -> None:
    path = tmp_path / "empty.yaml"
    path.write_text("{}")
    result = headgate("lint", str(path))
    assert result.exit_code == 1
    assert "it has neither apiVersion nor kind nor metadata, but nothing at all" in result.stderr


def test_hooks_are_read_back_in_words(headgate, write, build) -> None:
    hooks = [{"name": name, "type": kind, "url": "http://hooks.ml/"} for name, kind in (("smoke", "pre-rollout"), ("tell", "notify"))]
    result = headgate("lint", write(build(rollout={"hooks": hooks})))
    assert (
        "The hook smoke must agree (answer 2xx) before its first request; the hook tell is told of every change of phase." in result.stdout
    )


def test_it_is_said_what_follows_from_labels(headgate, write, build) -> None:
    manifest = build()
    assert "Labels" not in headgate("lint", write(manifest)).stdout
    manifest["spec"]["groundTruth"] = {"margin": 0.05, "metric": "logLoss"}
    said = " ".join(headgate("lint", write(manifest)).stdout.split())
    assert (
        "Labels may come up to 7d after their predictions; once they show (with an error of 1%) that its log loss is above stable's" in said
    )
    assert "by more than 0.05, it is refused." in said
