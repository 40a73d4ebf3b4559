"""The command line of a predictor container. Each flag may also come from the environment, as runtimes and charts prefer it."""

import argparse
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

PREFIX = "HEADGATE_SERVING_"
"""Before the upper-case name of a flag: its environment variable."""

Add = Callable[..., Any]
"""`add_argument` of a parser."""


class OptionsParser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        """Exit with 2."""
        self.exit(2, f"headgate: error: {message}; --help lists what is allowed\n")


def argument_parser(environment: Mapping[str, str] = os.environ) -> OptionsParser:
    """The container's arguments; of one given twice the last wins, which is how a predictor overrides its runtime."""
    parser = OptionsParser(
        prog="python -m headgate_serving", description="Serve an XGBoost model over KServe's V1 and V2.", allow_abbrev=False
    )
    parser.add_argument("--model_name", required=PREFIX + "MODEL_NAME" not in environment, help="the model's name in the request path")
    for part in (_served, _checks, _speed, _fallbacks, _bounds):
        part(parser.add_argument)
    for action in parser._actions:
        if (given := environment.get(PREFIX + action.dest.upper())) is not None:
            parser.set_defaults(**{action.dest: given})
    return parser


def _served(add: Add) -> None:
    add("--model_dir", type=Path, default="/mnt/models", help="folder with an export, or with a single .ubj or .json file")
    add("--host", default="0.0.0.0", help="address to listen on")  # noqa: S104
    add("--http_port", type=_port, default=8080, metavar="PORT", help="port of V1 and V2 REST and of /metrics; 0 for a free one")
    add("--grpc_port", type=_grpc_port, default="off", metavar="PORT", help="port of V2 over gRPC, or off")


def _checks(add: Add) -> None:
    add(
        "--parity",
        choices=("refuse", "report", "off"),
        default="refuse",
        help="what to do with a model that does not reproduce its golden set",
    )
    add(
        "--range_guard",
        choices=("off", "count", "clip", "refuse"),
        default="off",
        help="what to do with numbers outside their training range",
    )


def _speed(add: Add) -> None:
    add(
        "--batch_rows",
        type=_positive,
        default=256,
        metavar="ROWS",
        help="rows of small requests to predict in one call; larger requests go alone",
    )
    add(
        "--batch_delay_ms",
        type=_milliseconds,
        default=0,
        metavar="MS",
        help="how long a request waits for others to share its call; 0 shares it with those already there",
    )
    add("--cache_ttl", type=_seconds, default=0, metavar="SECONDS", help="how long a prediction is cached; 0 caches none")
    add("--cache_entries", type=_positive, default=10_000, metavar="N", help="most predictions cached")


def _fallbacks(add: Add) -> None:
    add(
        "--fallback",
        type=_fallback,
        default="off",
        metavar="ANSWER",
        help="answer when the model is late or fails: a number from 0 to 1, prior, or off",
    )
    add(
        "--time_budget_ms",
        type=_milliseconds,
        default=0,
        metavar="MS",
        help="how long to wait for the model before answering with the fallback; 0 sets no limit",
    )


def _bounds(add: Add) -> None:
    add("--max_concurrency", type=_positive, default=256, metavar="N", help="most concurrent requests; further ones are answered 429")
    add("--max_rows", type=_positive, default=10_000, metavar="ROWS", help="most rows in a request")
    add("--max_body_mib", type=_positive, default=16, metavar="MIB", help="largest request body, in MiB")


def _port(text: str) -> int:
    return _bounded(text, 0, 65_535)


def _grpc_port(text: str) -> int | None:
    return None if text == "off" else _bounded(text, 1, 65_535)


def _positive(text: str) -> int:
    return _bounded(text, 1, 10_000_000)


def _bounded(text: str, least: int, most: int) -> int:
    try:
        number = int(text)
    except ValueError:
        number = least - 1
    if not least <= number <= most:
        raise argparse.ArgumentTypeError(f"'{text}' is no whole number from {least} to {most}")
    return number


def _seconds(text: str) -> float:
    return _number(text, 86_400)


def _milliseconds(text: str) -> float:
    """Seconds, given as milliseconds."""
    return _number(text, 60_000) / 1000


def _fallback(text: str) -> str | float | None:
    if text in ("off", "prior"):
        return None if text == "off" else text
    return _number(text, 1)


def _number(text: str, most: float) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1
    if not 0 <= number <= most:
        raise argparse.ArgumentTypeError(f"'{text}' is no number from 0 to {most:g}")
    return number
