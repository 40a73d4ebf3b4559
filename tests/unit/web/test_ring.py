"""Samples come out as they went in, in bounded room."""

from headgate_operator.pages.sample import Count, Evidence, Sample, sample_of
from headgate_operator.web.ring import MOST, Ring
from tests.webview import CANDIDATE, STABLE, at_rest, canary


def sample(at: float, proof: float = 0.5, **more: object) -> Sample:
    fields = {
        "weights": {"a": 75.0, "b": 25.0},
        "requests": {"a": 300.0, "b": 100.0},
        "trial": "b",
        "counts": {"errors": {"b": Count(1.0, 100.0), "a": Count(2.0, 300.0)}},
        "evidence": {"errors": Evidence(proof, 5.5, 0.25, 3.0)},
        "drift": {"temp": 0.125},
    }
    return Sample(at=at, **(fields | more))  # type: ignore[arg-type]


def ring(*samples: Sample) -> Ring:
    made = Ring()
    for one in samples:
        made.add(one)
    return made


def test_what_went_in_comes_out() -> None:
    shown = [sample(1.0), sample(2.0, 0.75), sample(3.0, 1.5, drift={}), sample(4.0, trial=None, counts={}, evidence={}), Sample(at=5.0)]
    assert list(ring(*shown)) == shown


def test_while_nothing_changes_only_the_last_time_moves() -> None:
    quiet = ring(*(sample(float(second)) for second in range(1000)))
    assert [one.at for one in quiet] == [0.0, 999.0]
    quiet.add(sample(1000.0, 2.0))
    assert [one.at for one in quiet] == [0.0, 999.0, 1000.0], "the curve stays flat until it rises"


def test_a_full_ring_keeps_both_ends_and_the_newest_half_finely() -> None:
    full = ring(*(sample(float(second), second / 1000) for second in range(1500)))
    times = [one.at for one in full]
    assert len(times) == len(full) <= MOST
    assert times[0] == 0.0
    assert times[-100:] == [float(second) for second in range(1400, 1500)]
    assert times == sorted(set(times))


def test_a_ring_takes_a_few_hundred_bytes_at_rest_and_30_kilobytes_at_most() -> None:
    assert ring(*(sample_of(at_rest(), float(second)) for second in range(400))).size < 1000
    assert ring(*(sample_of(canary(evidence=second / 1000), float(second)) for second in range(400))).size < 30_000


def test_a_shortened_ring_has_its_last_sample() -> None:
    short = ring(sample(1.0), sample(2.0, 0.75))
    short.shorten()
    assert list(short) == [sample(2.0, 0.75)]


def test_a_status_is_a_sample_of_both_versions_on_trial() -> None:
    seen = sample_of(canary(), 7.0)
    assert seen.weights == {STABLE: 75, CANDIDATE: 25}
    assert seen.counts["errors"] == {CANDIDATE: Count(1, 140), STABLE: Count(2, 420)}
    assert seen.evidence["errors"] == Evidence(0.8, 5.3, 1.5, 3.0)
    assert (seen.trial, seen.drift) == (CANDIDATE, {"temp": 0.07})


def test_during_the_watch_the_stable_version_is_on_trial_against_the_previous_one() -> None:
    status = canary().model_dump(mode="json", by_alias=True, exclude_none=True)
    previous = status["candidate"] | {"since": "2026-11-21T03:00:00Z"}
    watched = at_rest(analysis=status["analysis"] | {"candidate": STABLE}, previous=previous)
    assert set(sample_of(watched, 1.0).counts["errors"]) == {STABLE, CANDIDATE}
