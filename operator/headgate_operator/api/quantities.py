"""Durations, shares and weights as people write them in a manifest: `1h30m`, `1%`, `25`.

Go's duration syntax has no days and Kubernetes' `format: duration` accepts nonsense, hence our own pattern.
"""

import re
from datetime import timedelta
from typing import Annotated, Final

from pydantic import BeforeValidator, Field, PlainSerializer, ValidationInfo, WithJsonSchema

from headgate_operator.api.cel import matches

DURATION_PATTERN: Final = r"^([0-9]{1,5}(ms|s|m|h|d)){1,4}$"
SHARE_PATTERN: Final = r"^[0-9]{1,2}(\.[0-9]{1,6})?%$"
DURATION_SENTENCE: Final = "write a number and a unit (ms, s, m, h, d), such as 90s, 5m, 1h30m or 30d"
SHARE_SENTENCE: Final = "write a percentage above 0% and below 100%, such as 1% or 0.5%"

_PART: Final = re.compile(r"([0-9]{1,5})(ms|s|m|h|d)")
_MILLISECONDS: Final = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def parse_duration(text: object) -> timedelta:
    """Read a duration such as `90s`, `1h30m` or `30d`; raise ValueError with what is allowed."""
    if isinstance(text, timedelta):
        return text
    if not isinstance(text, str) or not re.fullmatch(DURATION_PATTERN, text):
        raise ValueError(f"{text!r} is not a duration: {DURATION_SENTENCE}")
    return timedelta(milliseconds=sum(int(number) * _MILLISECONDS[unit] for number, unit in _PART.findall(text)))


def format_duration(duration: timedelta) -> str:
    """Write a duration the way `parse_duration` reads it, in the fewest parts: 90 seconds is `1m30s`."""
    rest = round(duration / timedelta(milliseconds=1))
    parts = []
    for unit in ("d", "h", "m", "s", "ms"):
        count, rest = divmod(rest, _MILLISECONDS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts[:4]) or "0s"


def parse_share(text: object) -> float:
    """Read a share such as `1%` as 0.01; raise ValueError with what is allowed. Shares lie strictly between 0 and 100 %."""
    if isinstance(text, str) and re.fullmatch(SHARE_PATTERN, text):
        share = float(text[:-1]) / 100
        if share > 0:
            return share
    raise ValueError(f"{text!r} is not a share: {SHARE_SENTENCE}")


def format_share(share: float) -> str:
    """Write a share the way `parse_share` reads it: 0.01 is `1%`."""
    return f"{share * 100:.6f}".rstrip("0").rstrip(".") + "%"


def _share(value: object, info: ValidationInfo) -> float:
    """Accept a plain number from Python code; on the wire a share always has its percent sign, or 1 could mean 1 % or everything."""
    return value if info.mode == "python" and isinstance(value, float) else parse_share(value)


def _wire_schema(*, pattern: str, longest: int, sentence: str, also: str = "") -> WithJsonSchema:
    """Describe a string that the API server checks by CEL, because a failed `pattern` tells only the pattern, not what is meant."""
    rule = matches(pattern) + also
    return WithJsonSchema(
        {"type": "string", "maxLength": longest, "x-kubernetes-validations": [{"rule": rule, "message": sentence}]},
    )


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str),
    _wire_schema(pattern=DURATION_PATTERN, longest=24, sentence=DURATION_SENTENCE),
]

Share = Annotated[
    float,
    BeforeValidator(_share),
    PlainSerializer(format_share, return_type=str),
    _wire_schema(pattern=SHARE_PATTERN, longest=11, sentence=SHARE_SENTENCE, also=f" && {matches('[1-9]')}"),
]

Weight = Annotated[int, Field(ge=0, le=100)]
"""Whole percents of the traffic."""
