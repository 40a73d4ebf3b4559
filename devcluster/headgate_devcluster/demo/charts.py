"""Charts of what the demo saw: the whole of it, and each rollout with a little of what came after."""

from collections.abc import Sequence
from typing import Final

from headgate_devcluster.demo.outcome import Ending, RolloutOutcome
from headgate_devcluster.demo.recorder import Recorder
from headgate_operator.pages.chart import LOOKS, Chart, Mark, Tone
from headgate_operator.pages.panels import Labels, Story, panels
from headgate_operator.pages.sample import Sample

WINDOW_SECONDS: Final = 10.0
AFTER_SECONDS: Final = 20


def whole_demo(recorder: Recorder, rollouts: Sequence[RolloutOutcome]) -> list[Chart]:
    """Draw everything."""
    return panels(_story(recorder, recorder.samples, rollouts))


def one_rollout(recorder: Recorder, rollout: RolloutOutcome) -> list[Chart]:
    """Draw one rollout; a version that never had a request has nothing to draw."""
    if not rollout.candidate_requests:
        return []
    end = rollout.began + rollout.seconds + AFTER_SECONDS
    return panels(_story(recorder, [sample for sample in recorder.samples if rollout.began <= sample.at <= end], [rollout]))


def _story(recorder: Recorder, samples: Sequence[Sample], rollouts: Sequence[RolloutOutcome]) -> Story:
    names = {revision: recorder.label(revision) for revision in recorder.versions}
    looks = {revision: place % LOOKS for place, revision in enumerate(names)}  # a version keeps its colour in every chart
    marks = tuple(map(_verdict, rollouts))
    return Story(samples=samples, labels=Labels(names=names, looks=looks), clock=_seconds, marks=marks, window=WINDOW_SECONDS)


def _verdict(rollout: RolloutOutcome) -> Mark:
    tone = Tone.GOOD if rollout.outcome is Ending.PROMOTED else Tone.BAD
    return Mark(rollout.began + rollout.seconds, f"version {rollout.version} {rollout.outcome}", tone)


def _seconds(at: float) -> str:
    return f"{at:.0f} s"
