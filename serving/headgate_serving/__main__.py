"""`python -m headgate_serving`: the process of a predictor container."""

import argparse
import os
import sys
from pathlib import Path


def main(arguments: list[str] | None = None) -> int:
    """Serve until told to stop; 0 after a wanted end, 1 when it cannot serve, 2 for wrong arguments."""
    options = argument_parser().parse_args(arguments)
    # Before numpy and XGBoost are loaded: they read it once. More threads slow single rows down by far.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    # KServe parses sys.argv when it is imported, with its own idea of what is allowed.
    sys.argv = sys.argv[:1]
    from headgate_serving.model import ModelError
    from headgate_serving.server.process import serve

    try:
        serve(options.model_name, options.model_dir, host=options.host, port=options.http_port)
    except ModelError as error:
        return _fail(str(error))
    except OSError as error:
        cause = str(error.strerror).partition(" (while")[0]  # socket.create_server repeats the address
        return _fail(f"cannot listen on {options.host}:{options.http_port}: {cause}")
    return 0


def argument_parser() -> argparse.ArgumentParser:
    """The container's arguments; of one given twice the last wins, which is how a predictor overrides its runtime."""
    parser = argparse.ArgumentParser(prog="python -m headgate_serving", description="Serve an exported model over KServe's V1 and V2 REST.")
    parser.add_argument("--model_name", required=True, help="the model's name in the request path")
    parser.add_argument("--model_dir", type=Path, default=Path("/mnt/models"), help="the exported model's folder (default %(default)s)")
    parser.add_argument("--http_port", type=int, default=8080, help="the port, 0 for a free one (default %(default)s)")
    parser.add_argument("--host", default="0.0.0.0", help="the address to listen on (default %(default)s, all)")  # noqa: S104
    return parser


def _fail(sentence: str) -> int:
    print(f"headgate: error: {sentence}", file=sys.stderr)  # noqa: T201
    return 1


if __name__ == "__main__":
    sys.exit(main())
