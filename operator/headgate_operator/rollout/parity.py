"""The same answers as where the model was trained: golden outputs against what a candidate really answers. Pure comparison.

A model can load, report ready and answer quickly while predicting something else (another library version, another default in the file).
Only known answers to known questions tell, and they tell before the first real request.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from headgate_operator.api.spec import Protocol, Tolerance


def difference(answer: Any, golden: Mapping[str, Any], *, protocol: Protocol, tolerance: Tolerance) -> str | None:
    """Return in words where `answer`, an inference response, differs from the golden outputs, or None if it agrees.

    `golden` maps output names to one number a row. Missing outputs, other row counts and anything that is not a finite number are
    differences too.
    """
    for name, expected in golden.items():
        found = _output(answer, name, protocol)
        if isinstance(found, str):
            return found
        if problem := _compare(name, found, expected, tolerance):
            return problem
    return None if golden else "the golden set has no outputs"


def _output(answer: Any, name: str, protocol: Protocol) -> Sequence[Any] | str:
    """Return the values of one output, or why there are none."""
    try:
        if protocol is Protocol.V1:
            return [row[name] for row in answer["predictions"]]
        return next(list(output["data"]) for output in answer["outputs"] if output["name"] == name)
    except StopIteration:
        return f"the answer has no output {name}"
    except (KeyError, TypeError, IndexError):
        return f"the answer is not a {protocol.value} inference response with the output {name}"


def _compare(name: str, found: Sequence[Any], expected: Sequence[Any], tolerance: Tolerance) -> str | None:
    if len(found) != len(expected):
        return f"{name} has {len(found)} rows instead of {len(expected)}"
    gaps = [_gap(value, wanted) for value, wanted in zip(found, expected, strict=True)]
    if broken := [row for row, gap in enumerate(gaps) if gap is None]:
        row = broken[0]
        return f"{name} is not a finite number in {len(broken)} of {len(found)} rows, first {_shown(found[row])} at row {row}"
    allowed = [tolerance.absolute + tolerance.relative * abs(wanted) for wanted in expected]
    differing = [row for row, gap in enumerate(gaps) if gap is not None and gap > allowed[row]]
    if not differing:
        return None
    worst = max(differing, key=lambda row: gaps[row] or 0.0)
    return (
        f"{name} differs in {len(differing)} of {len(found)} rows; the largest difference is {gaps[worst]:.6g} "
        f"at row {worst} ({found[worst]:.6g} instead of {expected[worst]:.6g})"
    )


def _gap(value: Any, wanted: Any) -> float | None:
    """Return how far apart two numbers are, or None if either is not a finite number."""
    if not is_number(value) or not is_number(wanted):
        return None
    return abs(float(value) - float(wanted))


def is_number(value: Any) -> bool:
    """Whether a JSON value is a finite number. JSON knows whole numbers that no float can hold; those are none to us."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:39] + "…"
