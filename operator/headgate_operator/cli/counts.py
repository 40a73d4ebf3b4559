"""Blocks as people write them: `10/1 90/0` on the command line, or four columns of a CSV file."""

import csv
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from headgate_operator.cli.errors import Exit, Failure
from headgate_operator.stats.block import Block

COLUMNS: Final = ("candidate", "candidateBad", "stable", "stableBad")
_MAX_BLOCKS: Final = 10_000
_MAX_REQUESTS: Final = 10_000_000
_PAIR: Final = re.compile(r"([0-9]{1,9})/([0-9]{1,9})")
_SENTENCE: Final = "write requests/bad, such as 10/1 for ten requests of which one was bad"


def blocks_of_arguments(words: Sequence[str]) -> list[Block]:
    """Read `candidate stable candidate stable …`, each `requests/bad`; Failure with what is allowed."""
    if len(words) % 2:
        raise _usage(f"an odd number of counts, {len(words)}: a block is the candidate's, then the stable version's, as in 10/1 90/0")
    pairs = [_pair(word) for word in words]
    return _bounded([_block(*pairs[at], *pairs[at + 1], where=f"block {at // 2 + 1}") for at in range(0, len(pairs), 2)])


def blocks_of_file(path: str) -> list[Block]:
    """Read a CSV file, or standard input for `-`: a block a line, a header if you like; Failure with the line that is wrong."""
    source = "standard input" if path == "-" else path
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise _usage(f"{source}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise _usage(f"{source}: is not UTF-8 text") from error
    blocks = list(_rows(text, source))
    if not blocks:
        raise _usage(f"{source}: no block in it; a line is {','.join(COLUMNS)}, such as 10,1,90,0")
    return _bounded(blocks)


def _rows(text: str, source: str) -> Iterator[Block]:
    for number, row in enumerate(csv.reader(text.splitlines()), 1):
        cells = [cell.strip() for cell in row]
        header = number == 1 and cells[:1] == [COLUMNS[0]]
        if header or not any(cells) or cells[0].startswith("#"):
            continue
        where = f"{source}, line {number}"
        if len(cells) != len(COLUMNS) or not all(re.fullmatch("[0-9]{1,9}", cell) for cell in cells):
            raise _usage(f"{where}: {','.join(cells)!r} is no block; write four whole numbers, {','.join(COLUMNS)}, such as 10,1,90,0")
        yield _block(*(int(cell) for cell in cells), where=where)


def _pair(word: str) -> tuple[int, int]:
    match = _PAIR.fullmatch(word)
    if match is None:
        raise _usage(f"{word!r} is no count: {_SENTENCE}")
    return int(match[1]), int(match[2])


def _block(candidate_total: int, candidate_bad: int, stable_total: int, stable_bad: int, *, where: str) -> Block:
    if candidate_total + stable_total > _MAX_REQUESTS:
        raise _usage(f"{where}: {candidate_total + stable_total} requests; a block has at most {_MAX_REQUESTS}")
    try:
        return Block(candidate_total=candidate_total, candidate_bad=candidate_bad, stable_total=stable_total, stable_bad=stable_bad)
    except ValueError as error:
        raise _usage(f"{where}: {error}") from error


def _bounded(blocks: list[Block]) -> list[Block]:
    if len(blocks) > _MAX_BLOCKS:
        raise _usage(f"{len(blocks)} blocks; at most {_MAX_BLOCKS} are counted at once")
    return blocks


def _usage(sentence: str) -> Failure:
    return Failure(sentence, Exit.USAGE)
