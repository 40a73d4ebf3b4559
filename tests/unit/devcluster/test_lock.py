"""One cluster a folder, and how others find it."""

import json
import os
from dataclasses import asdict
from pathlib import Path

import pytest

from headgate_devcluster.errors import ClusterError
from headgate_devcluster.lock import ClusterFacts, facts_file, locked, read_facts, supervisor, write_facts


def facts() -> ClusterFacts:
    return ClusterFacts(
        pid=os.getpid(),
        api_url="http://127.0.0.1:1",
        kubeconfig="/f/kubeconfig",
        gateway_url="http://127.0.0.1:2",
        envoy_admin_url="http://127.0.0.1:3",
        cluster_local_proxy="http://127.0.0.1:4",
        namespace="ml",
        control_url="http://127.0.0.1:5",
    )


def test_a_held_folder_names_its_supervisor_and_a_second_holder_is_refused(tmp_path: Path) -> None:
    with locked(tmp_path):
        assert supervisor(tmp_path) == os.getpid()
        with pytest.raises(ClusterError, match=f"a cluster already runs in {tmp_path}"), locked(tmp_path):
            pass
        assert supervisor(tmp_path) == os.getpid()
    assert supervisor(tmp_path) is None


def test_asking_who_holds_a_folder_does_not_hold_it(tmp_path: Path) -> None:
    with locked(tmp_path):
        pass
    assert supervisor(tmp_path) is None
    with locked(tmp_path):
        assert supervisor(tmp_path) == os.getpid()


def test_the_facts_are_there_while_the_folder_is_held(tmp_path: Path) -> None:
    assert read_facts(tmp_path) is None
    with locked(tmp_path):
        assert read_facts(tmp_path) is None
        write_facts(tmp_path, facts())
        assert read_facts(tmp_path) == facts()
    assert not facts_file(tmp_path).exists()


def test_facts_left_behind_by_a_killed_supervisor_are_not_believed(tmp_path: Path) -> None:
    facts_file(tmp_path).write_text(json.dumps(asdict(facts())))
    (tmp_path / "lock").write_text("4711\n")
    assert read_facts(tmp_path) is None
    assert supervisor(tmp_path) is None
