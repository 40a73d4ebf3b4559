"""Each in a fresh interpreter: what was imported before must not matter."""

import subprocess
import sys


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_lean_import_brings_nothing_that_tabular_detectors_do_not_use() -> None:
    heavy = ("cv2", "transformers", "skimage", "numba", "matplotlib", "torch", "tensorflow", "alibi_detect.od")
    code = f"import sys; import headgate_monitor.detectors; print([name for name in {heavy!r} if name in sys.modules])"
    assert run(code) == "[]"


def test_scipy_is_left_as_it_was() -> None:
    code = "import scipy.stats; before = dir(scipy.stats); import headgate_monitor.detectors; print(dir(scipy.stats) == before)"
    assert run(code) == "True"


def test_a_release_that_forbids_production_use_is_refused() -> None:
    code = """
import importlib.metadata
true_version = importlib.metadata.version
importlib.metadata.version = lambda name: "0.12.0" if name == "alibi-detect" else true_version(name)
try:
    import headgate_monitor.detectors
except ValueError as error:
    print(error)
"""
    assert run(code) == "alibi-detect 0.12.0 is installed; only 0.11.4 is supported, releases from 0.11.5 on forbid production use"
