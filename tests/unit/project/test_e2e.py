"""The steps of `make e2e` without a cluster: what they say, which versions they name, what they ask of docker, kind and helm."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.overlays import E2E, KUBECTL, NEEDS_KUBECTL, breaches, of_kind, pods, rendered

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "tests" / "e2e"
STEPS = sorted(FOLDER.glob("[0-9]*.sh"))
VERSIONS = dict(re.findall(r"^([A-Z_]+)=(\S+)$", (FOLDER / "versions.env").read_text(), re.MULTILINE))
PROGRAMS = ("docker", "kind", "kubectl", "helm", "make")
SHELLCHECK = shutil.which("shellcheck") or str(Path(sys.executable).with_name("shellcheck"))


def test_shellcheck_has_nothing_to_say() -> None:
    command = [SHELLCHECK, "--external-sources", "--source-path=SCRIPTDIR", *map(str, FOLDER.glob("*.sh"))]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=3000)
    assert (done.returncode, done.stdout) == (0, "")
    assert "shellcheck disable" not in "".join(path.read_text() for path in FOLDER.glob("*.sh"))


def test_every_step_says_what_it_does_and_is_on_the_page_in_order() -> None:
    for step in STEPS:
        assert os.access(step, os.X_OK), f"{step.name} cannot be run by hand"
        shebang, comment, common, *_ = step.read_text().splitlines()
        assert shebang == "#!/usr/bin/env bash"
        assert comment.startswith("# ")
        assert common.endswith('/common.sh"')
    assert re.findall(r"^\| `(\d\S+\.sh)`", (FOLDER / "README.md").read_text(), re.MULTILINE) == [step.name for step in STEPS]


def test_versions_are_pinned_in_one_place_and_agree_with_what_manifests_are_checked_against() -> None:
    scripts = "".join(step.read_text() for step in STEPS)
    assert all(f"${name}" in scripts for name in VERSIONS)
    assert re.findall(r"v\d+\.\d+", scripts) == []
    definitions = (ROOT / "tests" / "definitions" / "go.mod").read_text()
    assert f"github.com/envoyproxy/gateway {VERSIONS['ENVOY_GATEWAY_VERSION']}\n" in definitions


def play(tmp_path: Path, step: Path, *programs: str) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """Run a step whose programs only write down what they are asked, in a copy of what it reads; its result, and their command lines."""
    here, asked = tmp_path / "headgate", tmp_path / "asked"
    for folder in ("tests/e2e", "manifests"):
        shutil.copytree(ROOT / folder, here / folder, dirs_exist_ok=True)
    (tmp_path / "bin").mkdir(exist_ok=True)
    for name in programs:
        program = tmp_path / "bin" / name
        real = f'[ "$1" = kustomize ] && exec {KUBECTL} "$@"\n' if name == "kubectl" else ""
        read = '[ "${@: -1}" != - ] || while read -r; do :; done\n'  # else the writer of what it is given dies of a closed pipe
        program.write_text(f'#!/bin/bash\n{real}{read}echo "{name} $*" >>{asked}\n[ "$*" != "get clusters" ] || echo other\n')
        program.chmod(0o755)
    for name in ("bash", "env", "dirname", "grep", "mkdir", "sed", "sort", "xargs", "install", "rm"):
        link = tmp_path / "bin" / name
        if not link.exists():
            link.symlink_to(str(shutil.which(name)))
    done = subprocess.run(
        [here / "tests" / "e2e" / step.name], check=False, capture_output=True, text=True, timeout=300, env={"PATH": str(tmp_path / "bin")}
    )
    return done, asked.read_text().splitlines() if asked.exists() else []


@pytest.mark.skipif(KUBECTL is None, reason=NEEDS_KUBECTL)
def test_every_step_runs_to_its_end_and_touches_no_cluster_but_its_own(tmp_path: Path) -> None:
    asked: list[str] = []
    for step in STEPS:
        done, asked = play(tmp_path, step, *PROGRAMS)
        assert (done.returncode, done.stderr) == (0, ""), step.name
    assert f"kind create cluster --config kind-config.yaml --image {VERSIONS['KIND_NODE_IMAGE']} --wait 3m" in asked
    (loaded,) = [line for line in asked if line.startswith("kind load")]
    names = {container["image"] for _, pod in pods(rendered("kind")) for container in pod["containers"]}
    assert {*loaded.removeprefix("kind load docker-image --name headgate ").split()} == names
    assert "kubectl apply --server-side --kustomize manifests/overlays/kind" in asked
    assert "make --no-print-directory test ARGS=tests/e2e " in asked
    assert [line for line in asked if "delete" in line] == [
        f"kind delete cluster --name headgate --kubeconfig {tmp_path}/headgate/build/kind/kubeconfig"
    ]
    assert not (tmp_path / "headgate" / "build" / "kind").exists()
    assert not [line for line in asked if line.startswith("kubectl set ")], "it would own what a second run applies, which is a conflict"


@pytest.mark.parametrize("missing", ["docker", "kind", "kubectl", "helm"])
def test_a_program_that_is_missing_is_named_in_one_sentence(tmp_path: Path, missing: str) -> None:
    done, asked = play(tmp_path, STEPS[0], *({*PROGRAMS} - {missing}))
    assert (done.returncode, asked) == (1, [])
    (sentence,) = done.stderr.splitlines()
    assert sentence.startswith(f"headgate: error: {missing} was not found, which make e2e needs: install it from https://")


@pytest.mark.skipif(KUBECTL is None, reason=NEEDS_KUBECTL)
def test_prometheus_scrapes_as_the_operator_is_told_and_obeys_the_rules(tmp_path: Path) -> None:
    (configuration,) = of_kind(E2E, "ConfigMap")
    (settings,) = of_kind(rendered("kind"), "ConfigMap")
    text = configuration["data"]["prometheus.yml"]
    assert yaml.safe_load(text)["global"]["scrape_interval"] == settings["data"]["HEADGATE_PROMETHEUS_SCRAPE_INTERVAL"]
    (service,) = of_kind(E2E, "Service")
    address = f"http://{service['metadata']['name']}.{service['metadata']['namespace']}:{service['spec']['ports'][0]['port']}"
    assert settings["data"]["HEADGATE_PROMETHEUS"] == address
    for _, pod in pods(E2E):
        assert list(breaches(pod)) == ["an image without a version"], "versions.env says it"
    if (promtool := shutil.which("promtool")) is None:
        pytest.skip("promtool, which checks Prometheus' configuration, is not installed")
    # Debian builds it without discovery in Kubernetes.
    (tmp_path / "prometheus.yml").write_text(re.sub(r"kubernetes_sd_configs:\n( +)- role: pod", r"static_configs:\n\1- targets: []", text))
    done = subprocess.run([promtool, "check", "config", tmp_path / "prometheus.yml"], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
