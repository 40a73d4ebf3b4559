"""Builders of blocks, and an independent, exact account of the same law by whole fractions."""

from collections.abc import Iterator
from fractions import Fraction
from math import comb
from types import SimpleNamespace

import pytest

from headgate_operator.stats.block import Block


def build_block(candidate_total: int, stable_total: int, candidate_bad: int, stable_bad: int) -> Block:
    return Block(candidate_total=candidate_total, stable_total=stable_total, candidate_bad=candidate_bad, stable_bad=stable_bad)


def exact_law(candidate: int, stable: int, bad: int, odds_ratio: Fraction) -> dict[int, Fraction]:
    """Probability of every possible number of bad candidate answers, given the margins: Fisher's non-central hypergeometric."""
    weights = {k: comb(candidate, k) * comb(stable, bad - k) * odds_ratio**k for k in range(max(0, bad - stable), min(bad, candidate) + 1)}
    return {k: weight / sum(weights.values()) for k, weight in weights.items()}


def exact_g(candidate: int, stable: int, bad: int, odds_ratio: Fraction) -> Fraction:
    return sum((probability * odds_ratio**k for k, probability in exact_law(candidate, stable, bad, Fraction(1)).items()), Fraction(0))


def margins(largest: int) -> Iterator[tuple[int, int, int]]:
    """Every (candidate, stable, bad) with a candidate request and up to `largest` on each side."""
    return (
        (candidate, stable, bad)
        for candidate in range(1, largest + 1)
        for stable in range(largest + 1)
        for bad in range(candidate + stable + 1)
    )


@pytest.fixture(scope="session")
def block():
    return build_block


@pytest.fixture(scope="session")
def exact():
    return SimpleNamespace(law=exact_law, g=exact_g, margins=margins)
