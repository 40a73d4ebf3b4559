"""Charts draw what was seen, and say it in words."""

import math
import re

import pytest

from headgate_operator.pages.chart import Chart, Line, Mark, Split, round_up
from headgate_operator.pages.panels import Labels, Story, panels
from headgate_operator.pages.sample import Count, Evidence, Sample
from headgate_operator.pages.words import clock_for, number

LABELS = Labels(names={"a": "version 1", "b": "version 2"}, looks={"a": 0, "b": 1})


def clock(at: float) -> str:
    return f"{at:g} s"


def chart(*points: tuple[float, float], **more: object) -> Chart:
    line = Line("x", points, 0)
    return Chart(title="T", unit="%", lines=(line,), begin=0.0, end=10.0, clock=clock, **more)  # type: ignore[arg-type]


def story(*samples: Sample, window: float = 60.0, **more: object) -> Story:
    return Story(samples=samples, labels=LABELS, clock=clock, window=window, **more)  # type: ignore[arg-type]


def panel(title: str, told: Story) -> Chart:
    return next(found for found in panels(told) if found.title == title)


def points(found: Chart, label: str) -> list[tuple[float, float]]:
    line = next(line for line in found.lines if line.label == label)
    return [(at, value) for at, value in line.points if not math.isnan(value)]


def trial(at: float, bad: float = 0, total: float = 0, **more: object) -> Sample:
    counts = {"errors": {"b": Count(bad, total)}}
    return Sample(at=at, trial="b", counts=counts, requests={"b": total}, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(("value", "top"), [(0, 1), (0.3, 0.3), (0.07, 0.08), (9.1, 10), (10, 10), (101, 120), (2100, 2400), (1e-9, 1e-9)])
def test_a_scale_ends_at_a_round_number(value: float, top: float) -> None:
    assert round_up(value) == pytest.approx(top)


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (5, "5"), (0.5, "0.5"), (0.071, "0.071"), (12.34, "12.3"), (1234.5, "1,234"), (0.1, "0.1"), (2.5, "2.5")]
)
def test_numbers_have_no_more_digits_than_anybody_reads(value: float, text: str) -> None:
    assert number(value) == text


def test_a_line_is_drawn_from_point_to_point_and_broken_where_nothing_is_known() -> None:
    drawn = chart((0, 0), (5, 50), (6, math.nan), (7, 100), (10, 100))
    assert drawn.path(drawn.lines[0]) == "M0.0 200.0L500.0 100.0M700.0 0.0L1000.0 0.0h.1"
    steps = Line("x", [(0, 0), (5, 50)], 0, steps=True)
    assert drawn.path(steps) == "M0.0 200.0H500.0V100.0h.1"
    assert drawn.path(Line("x", [(0, math.nan)], 0)) == ""


def test_whatever_is_drawn_stays_within_the_drawing() -> None:
    drawn = chart((-5, -1), (0, 3), (99, 7), at_least=5.0)
    numbers = [float(text) for text in re.findall(r"[\d.]+", drawn.path(drawn.lines[0]))]
    assert all(0 <= value <= 1000 for value in numbers)


def test_a_chart_says_what_it_draws_and_has_its_numbers_as_a_table() -> None:
    drawn = chart((0, 1), (5, 4), (10, 2))
    assert drawn.description == "T in %, from 0 s to 10 s. x: 1 at first, 2 at last, 4 at most."
    assert drawn.rows()[0] == ("0 s", ["1"])
    assert drawn.rows()[-1] == ("10 s", ["2"])
    assert len(drawn.rows()) == 12
    assert chart((0, 1), (5, 1)).description.endswith("x: 1 throughout.")


def test_a_single_instant_can_be_drawn() -> None:
    only = panels(story(Sample(at=3.0, weights={"a": 100.0})))
    assert [found.title for found in only] == ["Weight"]
    assert [len(found.rows()) for found in only] == [1]
    assert panels(story()) == []


def test_a_weight_ends_with_the_0_it_leaves_with() -> None:
    seen = story(Sample(at=0, weights={"a": 100}), Sample(at=1, weights={"a": 90, "b": 10}), Sample(at=2, weights={"a": 100}), Sample(at=3))
    assert points(panel("Weight", seen), "version 2") == [(1, 10), (2, 0)]
    assert points(panel("Weight", seen), "version 1") == [(0, 100), (1, 90), (2, 100), (3, 0)]


def test_shares_and_rates_are_those_of_the_window_before() -> None:
    seen = story(*(trial(at, bad=at // 10, total=2 * at) for at in range(0, 121, 5)), window=20.0)
    assert points(panel("Requests", seen), "version 2")[-1] == (120, 2.0)
    assert points(panel("Bad answers: errors", seen), "version 2")[-1] == (120, 5.0)


def test_a_rate_after_a_rest_without_samples_is_not_spread_over_the_rest() -> None:
    seen = story(trial(0), trial(1000), trial(1010, 0, 20), window=20.0)
    assert points(panel("Requests", seen), "version 2")[-1] == (1010, 1.0)


def test_counting_begins_anew_with_a_lower_count() -> None:
    seen = story(trial(0, 0, 0), trial(10, 5, 100), trial(20, 0, 10), trial(30, 0, 110))
    assert points(panel("Bad answers: errors", seen), "version 2") == [(10, 5.0), (30, 0.0)]


def test_evidence_is_a_part_of_its_bound_and_has_a_gap_between_two_trials() -> None:
    def judged(at: float, candidate: str, rollback: float) -> Sample:
        return Sample(at=at, trial=candidate, evidence={"errors": Evidence(rollback, 5.0, 1.5, 3.0)})

    seen = story(judged(0, "a", 1), judged(1, "a", 2), judged(2, "b", 0), judged(3, "b", 5), judged(4, "b", 50))
    against = panel("Evidence to roll back", seen)
    assert points(against, "errors") == [(1, 40), (3, 100), (4, 120)], "what is far beyond its bound flattens nothing"
    assert against.bound == 100
    assert points(panel("Evidence to promote", seen), "errors") == [(1, 50), (3, 50), (4, 50)]


def test_drift_shows_the_features_that_are_furthest_off() -> None:
    seen = story(Sample(at=0, drift={f"f{number}": number / 10 for number in range(9)}))
    assert [line.label for line in panel("Drift", seen).lines] == ["f8", "f7", "f6", "f5", "f4", "f3"]


def test_marks_outside_of_the_time_that_is_drawn_are_not_drawn() -> None:
    marks = tuple(Mark(at, "x") for at in (-1, 0, 5, 11))
    seen = story(Sample(at=0, weights={"a": 1}), Sample(at=10, weights={"a": 1}), marks=marks)
    assert [mark.at for mark in panel("Weight", seen).marks] == [0, 5]


def test_long_times_are_written_with_their_day() -> None:
    assert clock_for(0, 3600)(3600) == "01:00:00"
    assert clock_for(0, 90_000)(90_000) == "Jan 02 01:00"


def test_the_parts_of_a_bar_lie_side_by_side() -> None:
    assert Split((("stable", 75), ("candidate", 25))).placed() == [("stable", 0, 75), ("candidate", 75, 25)]
