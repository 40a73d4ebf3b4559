"""What can be wrong with something that was sent; every message is one sentence for a person."""

from reprlib import Repr
from typing import Final

_SHORT: Final = Repr()
_SHORT.maxlist = _SHORT.maxdict = _SHORT.maxlevel = 3
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 40


class MalformedError(ValueError):
    """An event or a body that cannot be read. `kind` is a short name to count it by."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def shown(value: object) -> str:
    """Return what a sender wrote, short and on one line, however long or deep it is: `repr` itself fails on deep nesting."""
    return _SHORT.repr(value)
