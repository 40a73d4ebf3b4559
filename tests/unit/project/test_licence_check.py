import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def check() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_licences", Path(__file__).parents[2] / "check_licences.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("version", ["0.11.5", "0.11.5rc1", "0.12.0", "0.12.1.dev0", "0.13.0", "1.0"])
def test_a_release_under_the_business_source_licence_is_refused(check: ModuleType, version: str) -> None:
    (sentence,) = check.forbidden({"package": [{"name": "alibi-detect", "version": version}]})
    assert version in sentence
    assert "alibi-detect==0.11.4" in sentence


@pytest.mark.parametrize("version", ["0.11.4", "0.10.4", "0.9"])
def test_an_apache_release_is_allowed(check: ModuleType, version: str) -> None:
    assert check.forbidden({"package": [{"name": "alibi-detect", "version": version}, {"name": "numpy", "version": "9.9"}]}) == []
