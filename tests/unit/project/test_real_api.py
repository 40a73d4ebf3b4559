"""Which real API server the contract tests take, and what they say without one."""

from pathlib import Path

import pytest

from tests.realcluster.programs import NoRealApiError, find_programs


def program(folder: Path, name: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.touch(mode=0o755)
    return path


def test_the_built_binary_is_all_three_programs(tmp_path: Path) -> None:
    built = program(tmp_path, "kube-control-plane")
    found = find_programs({}, built)
    assert (found.etcd, found.apiserver) == ((str(built), "etcd"), (str(built), "kube-apiserver"))
    assert found.controller_manager == (str(built), "kube-controller-manager")


def test_a_folder_named_by_the_environment_comes_first_and_may_lack_the_controller_manager(tmp_path: Path) -> None:
    assets = tmp_path / "assets"
    etcd, apiserver = (program(assets, name) for name in ("etcd", "kube-apiserver"))
    found = find_programs({"KUBEBUILDER_ASSETS": str(assets)}, program(tmp_path, "kube-control-plane"))
    assert (found.etcd, found.apiserver, found.controller_manager) == ((str(etcd),), (str(apiserver),), None)


def test_without_any_one_sentence_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(NoRealApiError, match=r"run `make cluster-binaries` \(needs Go\), or set KUBEBUILDER_ASSETS"):
        find_programs({}, tmp_path / "missing")


def test_a_folder_without_the_programs_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoRealApiError, match=f"KUBEBUILDER_ASSETS is {tmp_path}, where there is no program etcd"):
        find_programs({"KUBEBUILDER_ASSETS": str(tmp_path)})
