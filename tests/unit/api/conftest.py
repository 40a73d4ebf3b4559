"""A manifest that breaks no rule, to be broken in one place by each test."""

from collections.abc import Callable

import pytest

from tests.manifests import Manifest, changed


@pytest.fixture
def manifest() -> Callable[..., Manifest]:
    """Return a function that builds the valid manifest, with one field set (or, to None, removed) at a dotted path."""
    return lambda path="apiVersion", value="headgate.dev/v1alpha1": changed(path, value)
