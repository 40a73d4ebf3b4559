"""The gate: a step of its own, so that the steps that found the problems succeed and their reports are kept."""

from headgate_components.step import StepError


def gate(problems: str, subject: str) -> None:
    """Passes if there are no problems.

    Args:
        problems: one sentence a line, as `validate_data` and `evaluate` return them.
        subject: what was judged, for the message.

    Raises:
        StepError: there are problems; names them all.
    """
    found = [line for line in problems.splitlines() if line.strip()]
    if found:
        raise StepError(f"{subject} did not pass: {'; '.join(found)}")
