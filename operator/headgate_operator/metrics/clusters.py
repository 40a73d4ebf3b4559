"""Which Envoy cluster carries a version: a template in the manifest, because every gateway names its clusters in its own way."""

import re
from collections.abc import Mapping
from typing import Final

PLACEHOLDERS: Final = ("namespace", "name", "revision", "isvc", "slot")
_PLACEHOLDER: Final = re.compile(r"\{\{ *(\w*) *\}\}")


def cluster_name(template: str, values: Mapping[str, str]) -> str:
    """Return the cluster's name as Envoy's statistics have it (they turn colons into underscores).

    `values` has a text for every placeholder that is known here. ValueError with the allowed ones if the template has another.
    """

    def replaced(match: re.Match[str]) -> str:
        if match[1] not in values:
            allowed = ", ".join(f"{{{{{name}}}}}" for name in PLACEHOLDERS if name in values)
            raise ValueError(f"{match[0]} in the cluster name {template!r} is not known; allowed: {allowed}")
        return values[match[1]]

    return _PLACEHOLDER.sub(replaced, template).replace(":", "_")
