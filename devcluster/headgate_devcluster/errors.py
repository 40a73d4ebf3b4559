"""What goes wrong around the cluster rather than in it: one sentence for the user, no stack trace."""

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class ClusterError(Exception):
    """The cluster cannot do what was asked; the message says what was wrong, where, and what to do."""


@contextmanager
def writing_to(folder: Path) -> Iterator[None]:
    """Turn what an operating system says about a folder it cannot write to into a `ClusterError`."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            msg = f"no space is left on the disk that holds {folder}; free some space or choose another folder"
        else:
            msg = f"{error.filename or folder} cannot be written: {error.strerror}; choose another folder"
        raise ClusterError(msg) from error


def require_free(port: int, purpose: str) -> None:
    """Refuse a port chosen by the user that something else listens on; 0, any free port, is always fine.

    Raises:
        ClusterError: the port is taken or may not be bound.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            msg = f"port {port} of 127.0.0.1 cannot be used for the {purpose}: {error.strerror}; choose another one, or 0 for any free port"
            raise ClusterError(msg) from error


def free_port() -> int:
    """A loopback port that nothing listens on, and that nobody else is given as a free one for the next minute.

    The listening end of a connection closes it first, which leaves the port in TIME_WAIT: the kernel hands it out to nobody any more, but
    whoever names it may listen on it with SO_REUSEADDR, which servers set to be able to start again.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname(), timeout=5):
        port: int = listener.getsockname()[1]
        listener.accept()[0].close()
        return port
