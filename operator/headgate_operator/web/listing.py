"""Which objects a list shows, and in which order: read from the address of the page, so that a view can be sent to somebody."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlencode

from headgate_operator.api.status import Phase
from headgate_operator.pages.deployment import URGENCY
from headgate_operator.web.board import Row

PER_PAGE: Final = 500
LONGEST_TEXT: Final = 100
_MOST_PAGES: Final = 10_000


class QueryError(ValueError):
    """An address asks for what there is not; the message says what there is."""


class Sort(StrEnum):
    """Orders of the list."""

    ATTENTION = "attention"
    NAME = "name"
    CHANGED = "changed"
    EVIDENCE = "evidence"

    @property
    def words(self) -> str:
        """What people choose."""
        return {"attention": "who needs attention", "changed": "last change", "evidence": "strongest evidence"}.get(self, self)


_EVER: Final = datetime.min.replace(tzinfo=UTC)
_ORDER: Final[dict[Sort, Callable[[Row], Any]]] = {
    Sort.ATTENTION: lambda row: URGENCY[row.phase],
    Sort.NAME: lambda row: (row.namespace, row.name),
    Sort.CHANGED: lambda row: -(row.changed_at or _EVER).timestamp(),
    Sort.EVIDENCE: lambda row: -(row.evidence[1].part if row.evidence is not None else -1.0),
}


@dataclass(frozen=True, kw_only=True)
class Query:
    """What a list is asked for."""

    text: str = ""
    phase: Phase | None = None
    sort: Sort = Sort.ATTENTION
    page: int = 1

    def address(self, path: str) -> str:
        """Return where this list is."""
        said = {"q": self.text, "phase": self.phase or "", "sort": self.sort if self.sort is not Sort.ATTENTION else ""}
        wanted = {key: str(value) for key, value in said.items() if value} | ({"page": str(self.page)} if self.page > 1 else {})
        return f"{path}?{urlencode(wanted)}" if wanted else path


@dataclass(frozen=True, kw_only=True)
class Listing:
    """One page of the list."""

    query: Query
    rows: list[Row]
    found: int
    """On all pages."""
    known: int
    """Whatever was asked for."""

    @property
    def pages(self) -> int:
        """How many there are."""
        return max(1, -(-self.found // PER_PAGE))

    @property
    def before(self) -> str | None:
        """Address of the page before, if there is one."""
        return replace(self.query, page=self.query.page - 1).address("/ui/") if self.query.page > 1 else None

    @property
    def after(self) -> str | None:
        """Address of the next page, if there is one."""
        return replace(self.query, page=self.query.page + 1).address("/ui/") if self.query.page < self.pages else None

    @property
    def sentence(self) -> str:
        """How much this is."""
        if not self.known:
            return "No ModelDeployment was seen yet."
        known = f"{self.known:,} deployment{'s' if self.known > 1 else ''}"
        return f"{self.found:,} of {known}" if self.found != self.known else known


def read_query(given: Mapping[str, str]) -> Query:
    """Read the parameters of an address; QueryError says what is allowed. Unknown parameters say nothing."""
    text, phase, sort, page = (given.get(name, "") for name in ("q", "phase", "sort", "page"))
    if len(text) > LONGEST_TEXT:
        raise QueryError(f"q has {len(text)} characters; {LONGEST_TEXT} are the most.")
    if phase and phase not in set(Phase):
        raise QueryError(f"There is no such phase; there are {', '.join(Phase)}.")
    if sort and sort not in set(Sort):
        raise QueryError(f"There is no such order; there are {', '.join(Sort)}.")
    if page and not (page.isascii() and page.isdigit() and len(page) < 6 and 1 <= int(page) <= _MOST_PAGES):
        raise QueryError(f"page must be a number from 1 to {_MOST_PAGES}.")
    return Query(
        text=text.strip(), phase=Phase(phase) if phase else None, sort=Sort(sort) if sort else Sort.ATTENTION, page=int(page or 1)
    )  # fmt: skip


def listing(rows: Iterable[Row], query: Query) -> Listing:
    """Choose, sort and cut. A page behind the last one is the last one: objects go while people read."""
    known = list(rows)
    words = query.text.casefold().split()
    found = [row for row in known if query.phase in (None, row.phase) and all(word in row.words for word in words)]
    found.sort(key=_ORDER[Sort.NAME])
    found.sort(key=_ORDER[query.sort])
    page = min(query.page, max(1, -(-len(found) // PER_PAGE)))
    begin = (page - 1) * PER_PAGE
    return Listing(query=replace(query, page=page), rows=found[begin : begin + PER_PAGE], found=len(found), known=len(known))
