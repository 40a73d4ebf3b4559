"""When no request reaches the candidate, chance is believed until its probability is below one in ten thousand."""

import pytest

from headgate_operator.stats.silence import unexplained_silence


@pytest.mark.parametrize(("share", "requests"), [(0.05, 180), (0.1, 88), (0.5, 14)])
def test_silence_is_unexplained_exactly_from_the_request_on_that_makes_it_improbable(share, requests):
    assert (1 - share) ** (requests - 1) >= 1e-4 > (1 - share) ** requests
    assert not unexplained_silence(share, requests - 1)
    assert unexplained_silence(share, requests)


def test_without_requests_silence_is_natural():
    assert not unexplained_silence(0.5, 0)
    assert not unexplained_silence(1.0, 0)


def test_a_version_with_all_the_traffic_may_not_be_silent():
    assert unexplained_silence(1.0, 1)


def test_a_version_without_weight_may_be_silent():
    assert not unexplained_silence(0.0, 10**6)
