"""How a step fails: with one sentence that reaches the person who started the pipeline.

Kubeflow Pipelines reports only "Inner task failed". So a step prints one line that starts with `ERROR_PREFIX`, and whoever runs the
pipeline relays it. In a pod the sentence is also the container's termination message, which is what Kubernetes shows of it.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

TERMINATION_LOG = Path("/dev/termination-log")
"""What Kubernetes shows as the reason why a container ended; there in every pod, and nowhere else."""

ERROR_PREFIX = "headgate: error: "


class StepError(Exception):
    """What stops a step; the message is one sentence: what was wrong, where, what is allowed."""


@contextmanager
def step(name: str) -> Iterator[None]:
    """Runs the body of a step; known failures end the process with one line instead of a traceback."""
    try:
        yield
    except StepError as error:
        _fail(name, str(error))
    except MemoryError:
        _fail(name, "the data does not fit into memory; give the step more memory or fewer rows")
    except OSError as error:
        where = f" '{error.filename}'" if error.filename else ""
        _fail(name, f"{error.strerror or error}{where}")


def _fail(name: str, sentence: str) -> None:
    sys.stderr.write(f"{ERROR_PREFIX}{name}: {sentence}\n")
    sys.stderr.flush()
    with suppress(OSError):
        if TERMINATION_LOG.is_file():
            TERMINATION_LOG.write_text(f"{name}: {sentence}", encoding="utf-8")
    raise SystemExit(1)
