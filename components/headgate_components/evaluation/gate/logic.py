"""The gate: a step of its own, so that the steps that found the problems succeed and their reports are kept."""

from collections.abc import Iterable

from headgate_components.step import StepError

KEEP = "keep"
"""What compare_to_champion says of a challenger that must not replace the champion."""


def gate(subject: str, problems: Iterable[str], *, verdict: str = "", reason: str = "") -> None:
    """Passes if there are no problems and the verdict is not to keep what is there.

    Args:
        subject: what was judged, for the message.
        problems: texts of one sentence a line, as the steps that judge return them.
        verdict: `promote` or `keep`, as compare_to_champion returns it; empty if nothing was compared.
        reason: its reason.

    Raises:
        StepError: there are problems; names them all.
    """
    found = [line for text in problems for line in text.splitlines() if line.strip()]
    if verdict == KEEP:
        found.append(reason or "the champion is to be kept")
    if found:
        raise StepError(f"{subject} did not pass: {'; '.join(found)}")
