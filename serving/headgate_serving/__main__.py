"""`python -m headgate_serving`: the process of a predictor container."""

import os
import sys

from headgate_serving.arguments import argument_parser


def main(arguments: list[str] | None = None) -> int:
    """Serve until told to stop; 0 after a wanted end, 1 when it cannot serve, 2 for wrong arguments."""
    parser = argument_parser()
    given = parser.parse_args(arguments)
    if given.time_budget_ms and given.fallback is None:
        parser.error("--time_budget_ms needs a --fallback to answer then")
    # Before numpy and XGBoost are loaded: they read it once. More threads slow single rows down by far.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    # KServe parses sys.argv when it is imported, with its own idea of what is allowed.
    sys.argv = sys.argv[:1]
    from headgate_serving.model import ModelError, RangePolicy
    from headgate_serving.server.options import Options, ParityPolicy
    from headgate_serving.server.process import serve

    options = Options(
        model_name=given.model_name,
        model_dir=given.model_dir,
        host=given.host,
        http_port=given.http_port,
        grpc_port=given.grpc_port,
        parity=ParityPolicy(given.parity),
        range_guard=RangePolicy(given.range_guard),
        batch_rows=given.batch_rows,
        batch_delay=given.batch_delay_ms,
        cache_ttl=given.cache_ttl,
        cache_entries=given.cache_entries,
        fallback=given.fallback,
        time_budget=given.time_budget_ms or None,
        max_concurrency=given.max_concurrency,
        max_rows=given.max_rows,
        max_body=given.max_body_mib * 2**20,
    )
    try:
        serve(options)
    except ModelError as error:
        return _fail(str(error))
    except OSError as error:
        cause = str(error.strerror).partition(" (while")[0]  # socket.create_server repeats the address
        return _fail(f"cannot listen on {options.host}:{options.http_port}: {cause}")
    return 0


def _fail(sentence: str) -> int:
    print(f"headgate: error: {sentence}", file=sys.stderr)  # noqa: T201
    return 1


if __name__ == "__main__":
    sys.exit(main())
