"""Rollouts without a cluster: `decide` in a small world, every pass of which is checked against what always holds."""

import pytest

from headgate_operator.api.status import Phase
from headgate_operator.rollout.observed import Backend
from tests.rolloutworld import World


@pytest.fixture
def world() -> World:
    """The first revision is being applied."""
    return World()


@pytest.fixture
def make_world() -> type[World]:
    """For manifests of a test's own."""
    return World


@pytest.fixture
def backend() -> type[Backend]:
    """A backend of the route."""
    return Backend


@pytest.fixture
def serving(world: World) -> World:
    """Version 1 serves all traffic and nothing is under way."""
    world.run()
    assert world.phase is Phase.HEALTHY
    return world
