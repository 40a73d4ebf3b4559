"""The one place that imports alibi-detect.

0.11.4 is the last Apache-2.0 release; later ones forbid production use. It expects libraries of 2023, and its packages'
`__init__` pull OpenCV, scikit-image and transformers, which tabular detectors never use. So its modules are imported one by
one below empty stand-ins of those packages, and what SciPy has removed since is lent for the time of the import.
"""

import importlib.metadata
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import scipy.stats

from headgate_monitor.detectors.errors import DriftError

VERSION = "0.11.4"
LICENCE = "Apache-2.0"
_PACKAGES = ("alibi_detect", "alibi_detect.cd", "alibi_detect.utils")


def _check_version() -> None:
    found = importlib.metadata.version("alibi-detect")
    if found != VERSION:
        raise DriftError(f"alibi-detect {found} is installed; only {VERSION} is supported, releases from 0.11.5 on forbid production use")


def _stand_in_for_packages() -> None:
    if "alibi_detect" in sys.modules:  # whoever was first paid for the whole import: use it
        return
    spec = importlib.util.find_spec("alibi_detect")
    if spec is None or not spec.submodule_search_locations:
        raise DriftError(f"alibi-detect {VERSION} is not installed")
    (root,) = spec.submodule_search_locations
    for name in _PACKAGES:
        package = ModuleType(name)
        package.__path__ = ["/".join([root, *name.split(".")[1:]])]
        sys.modules[name] = package


@contextmanager
def _removed_scipy_functions() -> Iterator[None]:
    """`scipy.stats.binom_test` (gone since 1.12) exists for the time of the import; no tabular detector calls it."""
    if hasattr(scipy.stats, "binom_test"):
        yield
        return
    scipy.stats.binom_test = lambda *arguments, **options: scipy.stats.binomtest(*arguments, **options).pvalue
    try:
        yield
    finally:
        del scipy.stats.binom_test


_check_version()
_stand_in_for_packages()
with _removed_scipy_functions():
    from alibi_detect.cd.chisquare import ChiSquareDrift
    from alibi_detect.cd.cvm import CVMDrift
    from alibi_detect.cd.ks import KSDrift
    from alibi_detect.cd.tabular import TabularDrift


def classifier_drift(*arguments: Any, **options: Any) -> Any:
    """A `ClassifierDrift`; its module is imported when the first one is made, because it looks for TensorFlow and PyTorch."""
    with _removed_scipy_functions():
        from alibi_detect.cd.classifier import ClassifierDrift
    return ClassifierDrift(*arguments, **options)


__all__ = ["LICENCE", "VERSION", "CVMDrift", "ChiSquareDrift", "KSDrift", "TabularDrift", "classifier_drift"]
