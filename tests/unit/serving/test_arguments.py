from pathlib import Path

import pytest

from headgate_serving.arguments import argument_parser


def test_everything_optional_is_off() -> None:
    given = argument_parser({}).parse_args(["--model_name=m"])
    assert (given.model_dir, given.http_port, given.grpc_port) == (Path("/mnt/models"), 8080, None)
    assert (given.range_guard, given.cache_ttl, given.fallback, given.time_budget_ms) == ("off", 0, None, 0)
    assert (given.parity, given.batch_delay_ms) == ("refuse", 0)


def test_the_environment_gives_what_the_command_line_does_not() -> None:
    parser = argument_parser({"HEADGATE_SERVING_MODEL_NAME": "m", "HEADGATE_SERVING_CACHE_TTL": "60", "HEADGATE_SERVING_FALLBACK": "0.24"})
    given = parser.parse_args(["--cache_ttl=5"])
    assert (given.model_name, given.cache_ttl, given.fallback) == ("m", 5, 0.24)


def test_milliseconds_become_seconds() -> None:
    given = argument_parser({}).parse_args(
        ["--model_name=m", "--fallback=prior", "--time_budget_ms=250", "--batch_delay_ms=2", "--grpc_port=8081"]
    )
    assert (given.time_budget_ms, given.batch_delay_ms, given.fallback, given.grpc_port) == (0.25, 0.002, "prior", 8081)


@pytest.mark.parametrize(
    ("argument", "sentence"),
    [
        ("--http_port=99999", "argument --http_port: '99999' is no whole number from 0 to 65535"),
        ("--grpc_port=on", "argument --grpc_port: 'on' is no whole number from 1 to 65535"),
        ("--fallback=2", "argument --fallback: '2' is no number from 0 to 1"),
        ("--cache_ttl=nan", "argument --cache_ttl: 'nan' is no number from 0 to 86400"),
        ("--range_guard=loud", "argument --range_guard: invalid choice: 'loud'"),
        ("--cache=1", "unrecognized arguments: --cache=1"),
    ],
)
def test_wrong_arguments_are_told_in_one_line(argument: str, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        argument_parser({}).parse_args(["--model_name=m", argument])
    errors = capsys.readouterr().err
    assert ended.value.code == 2
    assert errors.startswith(f"headgate: error: {sentence}")
    assert errors.count("\n") == 1
