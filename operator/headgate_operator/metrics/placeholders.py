"""Templates in manifests: `{{slot}}` and its like, so that one text speaks of each version in turn."""

import re
from collections.abc import Mapping
from typing import Final

PLACEHOLDERS: Final = ("namespace", "name", "revision", "isvc", "slot", "knativeRevision")
_PLACEHOLDER: Final = re.compile(r"\{\{ *(\w*) *\}\}")


def filled(template: str, values: Mapping[str, str], *, what: str) -> str:
    """Put values in the place of placeholders.

    `values` has a text for every placeholder that is known here; they are names of Kubernetes objects, which need no escaping in a query.
    ValueError with the allowed ones if the template, `what` says what it is, has another.
    """

    def replaced(match: re.Match[str]) -> str:
        if match[1] not in values:
            allowed = ", ".join(f"{{{{{name}}}}}" for name in PLACEHOLDERS if name in values)
            raise ValueError(f"{match[0]} in the {what} {template!r} is not known; allowed: {allowed}")
        return values[match[1]]

    return _PLACEHOLDER.sub(replaced, template)
