"""Writing PromQL selectors: names of objects never become syntax."""

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Final

_ESCAPES: Final = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


def range_selector(names: Iterable[str], matchers: Mapping[str, str], window: timedelta) -> str:
    """Select the raw samples of series by their names and labels over the last `window`.

    A range, because its samples keep the time of their scrape; an instant selector would put the time of the query in its place.
    `matchers` maps labels to regular expressions, which match whole values.
    """
    return f"{matching({'__name__': '|'.join(names), **matchers})}[{window // timedelta(milliseconds=1)}ms]"


def matching(matchers: Mapping[str, str]) -> str:
    """Write matchers in braces: regular expressions by label, which match whole values."""
    return f"{{{','.join(f'{label}=~{quoted(pattern)}' for label, pattern in matchers.items())}}}"


def exactly(text: str) -> str:
    """Return the regular expression that matches this text and no other."""
    return re.sub(r"([.+*?()|\[\]{}^$\\])", r"\\\1", text)


def quoted(text: str) -> str:
    """Write a string literal."""
    return f'"{text.translate(_ESCAPES)}"'
