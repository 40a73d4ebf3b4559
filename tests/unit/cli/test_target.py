"""Which cluster a command speaks to when it runs in a pod, as `kubectl exec deploy/headgate-operator -- headgate doctor` does."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from headgate_devcluster.access import write_kubeconfig
from headgate_operator.cli import cluster
from headgate_operator.cli.cluster import Target, target_options


@click.command()
@target_options
def where(target: Target) -> None:
    click.echo(f"{target.kubeconfig} {target.namespace}")


@pytest.fixture
def pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "namespace").write_text("headgate-system\n")
    monkeypatch.setattr(cluster, "_POD_ACCOUNT", tmp_path)
    monkeypatch.delenv("KUBECONFIG", raising=False)
    return tmp_path


@pytest.mark.usefixtures("pod")
def test_a_pod_speaks_to_its_own_cluster_and_namespace_without_a_kubeconfig() -> None:
    assert CliRunner().invoke(where, []).output == "None headgate-system\n"
    assert CliRunner().invoke(where, ["-n", "ml"]).output == "None ml\n"


def test_a_kubeconfig_that_is_named_goes_before_the_pods_account(pod: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = pod / "config"
    write_kubeconfig(config, "http://127.0.0.1:1")
    assert CliRunner().invoke(where, ["--kubeconfig", str(config)]).output == f"{config} default\n"
    monkeypatch.setenv("KUBECONFIG", str(config))
    assert CliRunner().invoke(where, []).output == f"{config} default\n"


def test_of_several_kubeconfigs_those_that_are_not_there_are_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = write_kubeconfig(tmp_path / "there", "http://127.0.0.1:1")
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path / 'gone'}:{there}")
    assert CliRunner().invoke(where, []).output == f"{there} default\n"
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path / 'gone'}:{tmp_path / 'gone too'}")
    assert f"no kubeconfig at {tmp_path / 'gone'}; name one" in CliRunner().invoke(where, []).output
