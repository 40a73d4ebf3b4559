import re
import subprocess
import sys
from pathlib import Path

DOCUMENT = Path(__file__).parents[3] / "docs/serving.md"


def test_the_options_and_metrics_in_the_documentation_are_those_of_the_code(tmp_path: Path) -> None:
    copy = tmp_path / "serving.md"
    copy.write_text(DOCUMENT.read_text())
    # In a process of its own: what other tests measured is not among the metrics.
    subprocess.run([sys.executable, "-m", "headgate_serving.reference", str(copy)], check=True, timeout=300)
    assert copy.read_text() == DOCUMENT.read_text(), "run: python -m headgate_serving.reference docs/serving.md"


def test_metrics_written_for_rollouts_are_series_of_the_server() -> None:
    written = (DOCUMENT.with_name("metrics.md"), DOCUMENT.parents[1] / "operator/headgate_operator/metrics/presets.py")
    used = {name for path in written for name in re.findall(r"headgate_serving_\w+", path.read_text())}
    assert used == {"headgate_serving_fallbacks_total", "headgate_serving_answers_total"}
    assert used <= set(re.findall(r"`(headgate_serving_\w+)`", DOCUMENT.read_text()))
