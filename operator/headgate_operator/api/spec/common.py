"""Types that several parts of a manifest share."""

from typing import Annotated

from pydantic import Field

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
Name = Annotated[str, Field(min_length=1, max_length=63, pattern=rf"^{_LABEL}$")]
Hostname = Annotated[str, Field(min_length=1, max_length=253, pattern=rf"^(\*\.)?{_LABEL}(\.{_LABEL})*$")]
Url = Annotated[str, Field(min_length=1, max_length=256, pattern=r"^https?://")]
ConfigMapName = Annotated[str, Field(min_length=1, max_length=253)]
