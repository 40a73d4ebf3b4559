"""Impossible counts are refused, with the counts."""

import pytest


@pytest.mark.parametrize("counts", [(1, 9, 2, 0), (1, 9, 0, 10), (5, 5, -1, 0)])
def test_a_block_with_more_bad_answers_than_requests_is_refused(block, counts):
    with pytest.raises(ValueError, match="bad must lie between 0 and the total"):
        block(*counts)
