"""Our own writes, which the watches tell us of as they tell of everybody's: an event that shows what we wrote is no news.

Known by uid and resourceVersion, so that the least change by somebody else is another version, and news. Whatever a pass wrote it has
taken into account, or planned another look for. An echo that comes before the answer to its write costs a look and nothing else.
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final

_MOST: Final = 10_000
"""Echoes that are waited for. One that a cut watch never brought is forgotten in time."""


class Echoes:
    """The last version that we wrote of each object, until a watch tells of it."""

    def __init__(self) -> None:
        self._written: OrderedDict[str, str] = OrderedDict()

    def expect(self, answer: Mapping[str, Any]) -> None:
        """Take note of the API server's answer to a write of ours."""
        metadata = answer["metadata"]
        self._written[metadata["uid"]] = metadata["resourceVersion"]
        self._written.move_to_end(metadata["uid"])
        if len(self._written) > _MOST:
            self._written.popitem(last=False)

    def heard(self, metadata: Mapping[str, Any]) -> bool:
        """Whether an event about an object with this metadata is the echo that was expected."""
        uid = metadata.get("uid", "")
        if self._written.get(uid) != metadata.get("resourceVersion"):
            return False
        return self._written.pop(uid, None) is not None
