"""The scenarios of tests/scenarios.py on a real cluster: real pods of a real KServe, Envoy Gateway, Prometheus, and the images of this
checkout with the rights and policies of manifests/overlays/kind.
"""

from typing import Any

from tests.scenarios import Exports, promoted_then_rolled_back, superseded_then_aborted
from tests.scene import Scene

# Evidence is at least two scrapes old when it counts, so a step takes longer than on one machine.
SHORT = {"steps": [{"weight": 50, "minDuration": "15s", "minRequests": 100}], "watch": {"duration": "20s"}, "scaleDownDelay": "5s"}
LONG = {"steps": [{"weight": 20, "minDuration": "30m", "minRequests": 100}], "scaleDownDelay": "5s"}


async def test_a_good_version_is_promoted_and_a_broken_one_rolled_back(scene: Scene, exports: Exports, make_columns: Any) -> None:
    await promoted_then_rolled_back(scene, exports, make_columns, rollout=SHORT)


async def test_a_candidate_is_superseded_its_successor_aborted_and_everything_collected(scene: Scene, exports: Exports) -> None:
    await superseded_then_aborted(scene, exports, rollout=LONG)
