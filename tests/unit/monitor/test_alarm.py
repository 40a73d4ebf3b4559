"""From single windows to a signal."""

from functools import reduce

import pytest

from headgate_monitor.watch.alarm import Alarm, Outcome, Signal

OUTCOMES = {"?": Signal.UNKNOWN, "-": Signal.CLEAN, "d": Signal.DRIFT, "S": Signal.SEVERE}


def after(windows: str) -> Alarm:
    numbered = enumerate(windows)
    return reduce(lambda alarm, one: alarm.after(Outcome(OUTCOMES[one[1]], f"{one[1]}{one[0]}"), at=900.0 * one[0]), numbered, Alarm())


@pytest.mark.parametrize(
    ("windows", "signal"),
    [
        ("", Signal.UNKNOWN),
        ("?", Signal.UNKNOWN),
        ("-", Signal.CLEAN),
        ("-?", Signal.UNKNOWN),  # nothing stays Clean by silence
        ("-?-", Signal.CLEAN),
        ("d", Signal.UNKNOWN),
        ("-d", Signal.CLEAN),
        ("-d-", Signal.CLEAN),
        ("-d-d", Signal.DRIFT),
        ("dd", Signal.DRIFT),
        ("d--d", Signal.CLEAN),
        ("S", Signal.SEVERE),
        ("--S", Signal.SEVERE),
        ("Sd", Signal.SEVERE),
        ("dd-", Signal.DRIFT),
        ("dd--", Signal.DRIFT),
        ("dd---", Signal.CLEAN),
        ("S--?-", Signal.CLEAN),  # a window without rows says nothing; three clean ones do
        ("S?????", Signal.SEVERE),
    ],
)
def test_two_of_three_windows_or_one_severe_alarm_and_three_clean_ones_end_it(windows: str, signal: Signal) -> None:
    assert after(windows).signal is signal


def test_an_alarm_keeps_the_words_of_the_last_window_that_alarmed() -> None:
    assert after("dd--").message == "d1"
    assert after("-d").message == "one window alone: d1"
    assert after("-").message == "-0"


def test_severe_drift_lasts_from_the_third_of_four_windows_until_fewer_are() -> None:
    assert after("SS").severe_since is None
    assert after("SdSS").severe_since == 2700.0
    assert after("SSSSSS").severe_since == 1800.0
    assert after("SSSS--").severe_since is None
