"""Groups of rows: few values are a group each, many numbers are cut at their quartiles, and nothing is left out."""

from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate_components.groups import MISSING, MOST_GROUPS, OTHER, group_names, in_order, present

VALUES = st.one_of(
    st.lists(st.one_of(st.none(), st.integers(-50, 50)), min_size=1, max_size=80),
    st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), min_size=1, max_size=80),
    st.lists(st.one_of(st.none(), st.text(max_size=3)), min_size=1, max_size=80),
    st.lists(st.one_of(st.none(), st.booleans()), min_size=1, max_size=10),
)


def groups(values: pa.Array | list[object]) -> list[str]:
    names: list[str] = group_names(pa.table({"x": values}), "x").tolist()
    return names


@given(VALUES)
def test_every_row_is_in_one_of_a_few_groups_and_missing_values_in_their_own(values: list[object]) -> None:
    names = groups(values)
    assert len(names) == len(values)
    assert len(set(names)) <= MOST_GROUPS + 1
    assert [name == MISSING for name in names] == [value is None for value in values] or MISSING in values


def test_many_numbers_are_cut_at_their_quartiles_in_order() -> None:
    names = groups(pa.array(np.arange(100.0)))
    assert list(in_order(np.array(names))) == ["(-0.0001 to 24.75]", "(24.75 to 49.5]", "(49.5 to 74.25]", "(74.25 to 99.0]"]
    assert names.count("(24.75 to 49.5]") == 25


def test_times_are_cut_at_their_quartiles() -> None:
    first = datetime.fromisoformat("2024-01-01")
    names = groups(pa.array([first + timedelta(hours=hour) for hour in range(40)]))
    assert len(set(names)) == 4


def test_few_numbers_are_a_group_each_in_the_order_of_numbers() -> None:
    assert list(in_order(np.array(groups([10, 2, 1, 2, None])))) == ["1", "2", "10", MISSING]


def test_the_rarest_of_many_words_are_one_group_that_comes_last_but_for_missing_ones() -> None:
    words = [f"w{word}" for word in range(20) for _ in range(30 - word)]
    order = list(in_order(np.array(groups([*words, None]))))
    assert order[-2:] == [OTHER, MISSING]
    assert order[:-2] == sorted(f"w{word}" for word in range(MOST_GROUPS - 1))


@pytest.mark.parametrize(
    "values",
    [
        pa.array([f"w{word}" for word in range(20)]).dictionary_encode(),
        pa.array([[word] for word in range(20)]),
        pa.array([*map(Decimal, range(18)), None, None]),
        pa.array([float("inf"), -float("inf"), *np.arange(18.0)]),
    ],
    ids=["categories", "lists", "decimals", "infinities"],
)
def test_columns_of_other_types_make_groups_as_well(values: pa.Array) -> None:
    assert 1 < len(set(groups(values))) <= MOST_GROUPS + 1


@pytest.mark.parametrize("values", [[None] * 5, [float("nan")] * 5])
def test_a_column_without_a_value_is_one_group(values: list[object]) -> None:
    assert set(groups(pa.array(values, pa.float64()))) == {MISSING}


def test_columns_that_are_not_there_are_named_with_those_that_are() -> None:
    table = pa.table({"a": [1], "b": [2]})
    assert present(table, ["b", "c"]) == (["b"], ["the evaluation rows have no column 'c' to group by; they have a, b"])
