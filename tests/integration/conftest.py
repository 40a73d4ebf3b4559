"""Fixtures of the integration tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from headgate_devcluster.cluster import Cluster
from tests.scene import Scene


@pytest.fixture
async def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    monkeypatch.setenv("HEADGATE_LEADER_ELECTION", "false")  # a killed leader's lease lasts 15 s; test_operator_process.py waits for it
    async with Cluster(tmp_path / "cluster") as cluster:
        yield Scene(cluster)
