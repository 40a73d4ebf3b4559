"""Fixtures that several test areas share."""

import importlib.util
import signal
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes, or is made, says nothing on a machine that is doing other things, too.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

# Asserts outside of tests and conftest.py show what they compared only if pytest is told of their module before it is imported.
pytest.register_assert_rewrite("tests.rolloutcluster", "tests.rolloutinvariants")

MakeColumns = Callable[..., Mapping[str, Sequence[str | float | int | None]]]
MakeExport = Callable[..., Path]


def pytest_configure() -> None:
    """Let SIGINT end the programs under test: whoever starts the tests in the background of a script has them ignore it, and so would all
    their children.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first: processes that share the tests out by file would otherwise end with all but one of them idle."""
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: -slow[item.path])


@pytest.fixture(scope="session")
def make_columns() -> MakeColumns:
    """`make_columns(rows, seed=0)`: raw rows for a model of `make_export`."""
    build: MakeColumns = _exports().build_columns
    return build


@pytest.fixture(scope="session")
def make_export() -> MakeExport:
    """`make_export(storage, version, *, seed=0, …)`: the folder of a real model; `build_export` in exports.py says what else."""
    build: MakeExport = _exports().build_export
    return build


@pytest.fixture(scope="session")
def small_export(make_export: MakeExport, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real exported model named `flight-delay`; do not change its files."""
    return make_export(tmp_path_factory.mktemp("storage"), "1")


@cache
def _exports() -> ModuleType:
    """`tests/exports.py`, imported on first use: it needs XGBoost and alibi-detect, which most tests do not."""
    spec = importlib.util.spec_from_file_location("headgate_tests_exports", Path(__file__).with_name("exports.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
