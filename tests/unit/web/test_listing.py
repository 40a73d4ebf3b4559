"""A list is what its address says."""

import pytest
from yarl import URL

from headgate_operator.api.status import Phase
from headgate_operator.web.board import Board
from headgate_operator.web.listing import PER_PAGE, Listing, Query, QueryError, Sort, listing, read_query
from tests.webview import at, at_rest, canary, condition, names


def board() -> Board:
    made = Board()
    made.saw(("ml", "calm"), at_rest("12"), at=at(0), steps=3)
    made.saw(("ml", "moving"), canary(evidence=1), at=at(0), steps=3)
    made.saw(("ml", "urgent"), at_rest(phase="Stalled", conditions=[condition("Stalled", "True", "NoTraffic")]), at=at(0), steps=3)
    made.saw(("other", "close"), canary(evidence=5), at=at(0), steps=3)
    return made


def found(**query: object) -> list[str]:
    return names(listing(board().rows(), Query(**query)).rows)  # type: ignore[arg-type]


def test_whoever_needs_attention_comes_first() -> None:
    assert found() == ["urgent", "moving", "close", "calm"]


def test_other_orders() -> None:
    assert found(sort=Sort.NAME) == ["calm", "moving", "urgent", "close"]
    assert found(sort=Sort.EVIDENCE)[:2] == ["close", "moving"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("OTHER", ["close"]),
        ("ml/ca", ["calm"]),
        ("12", ["calm"]),
        ("notraffic", ["urgent"]),
        ("ml mov", ["moving"]),
        ("nothing", []),
    ],
)
def test_a_search_looks_in_names_versions_and_reasons_for_every_word(text: str, expected: list[str]) -> None:
    assert found(text=text) == expected


def test_one_phase_only() -> None:
    assert found(phase=Phase.STALLED) == ["urgent"]


def pages(size: int, page: int = 1) -> Listing:
    rows = board().rows()[:1] * size
    return listing(rows, Query(page=page, text="calm"))


def test_five_hundred_are_one_page_and_more_are_several() -> None:
    one, first, second, behind = pages(500), pages(501), pages(501, page=2), pages(501, page=9)
    assert (len(one.rows), one.pages, one.after) == (500, 1, None) == (PER_PAGE, 1, None)
    assert (first.after, first.sentence) == ("/ui/?q=calm&page=2", "501 deployments")
    assert (len(second.rows), second.before, second.after) == (1, "/ui/?q=calm", None)
    assert behind.query.page == 2, "a page behind the last is the last"


def test_an_empty_list_says_so() -> None:
    assert pages(0, page=9).sentence == "No ModelDeployment was seen yet."


@pytest.mark.parametrize("query", [Query(), Query(text="a&b=c é", phase=Phase.PAUSED, sort=Sort.CHANGED, page=3)])
def test_an_address_says_what_was_asked(query: Query) -> None:
    assert read_query(dict(URL(query.address("/ui/")).query)) == query


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"q": "x" * 101}, "q has 101 characters; 100 are the most."),
        ({"phase": "Sleepy"}, "There is no such phase; there are Pending, Progressing"),
        ({"sort": "colour"}, "There is no such order; there are attention, name"),
        ({"page": "0"}, "page must be a number from 1 to 10000."),
        ({"page": "-1"}, "page must be"),
        ({"page": "٣"}, "page must be"),
        ({"page": "9" * 400}, "page must be"),
    ],
)
def test_what_there_is_not_is_refused_with_what_there_is(given: dict[str, str], sentence: str) -> None:
    with pytest.raises(QueryError) as refused:
        read_query(given)
    assert sentence in str(refused.value)
