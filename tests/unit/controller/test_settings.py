"""What the operator is told at the start: checked once, refused in one sentence."""

import asyncio
import json
import logging
from datetime import timedelta

import pytest
from click.testing import CliRunner

from headgate_operator.api.spec import PrometheusProvider, SeriesPreset
from headgate_operator.controller import __main__ as entry
from headgate_operator.controller.events import wire
from headgate_operator.controller.kopf_settings import kopf_settings
from headgate_operator.controller.logs import LogFormat, configure, one_pass
from headgate_operator.controller.process import Process
from headgate_operator.controller.settings import (
    Settings,
    SettingsError,
    choose_lease_namespace,
    envoy_provider,
    parse_address,
    parse_gateway,
)
from headgate_operator.controller.shard import Shard
from headgate_operator.metrics.prometheus import Access
from headgate_operator.web.access import AccessSettings
from headgate_operator.web.server import WebSettings


@pytest.fixture
def started(monkeypatch) -> list[Settings]:
    """What `main` would have run with."""
    seen: list[Settings] = []
    monkeypatch.setattr(entry, "run", seen.append)
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", list(root.handlers))
    return seen


def test_every_flag_has_an_environment_variable(started, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("KUBECONFIG", "unset")
    (tmp_path / "token").write_text("t")
    environment = {
        "HEADGATE_KUBECONFIG": str(tmp_path / "config"),
        "HEADGATE_NAMESPACE": "ml other",
        "HEADGATE_GATEWAY": "infra/gate",
        "HEADGATE_DOMAIN": "models.test",
        "HEADGATE_ENVOY_ADDRESS": "http://10.0.0.7:19001 http://10.0.0.8:19001/",
        "HEADGATE_ENVOY_FLUSH": "1s",
        "HEADGATE_PROMETHEUS": "https://prometheus.monitoring:9090/",
        "HEADGATE_PROMETHEUS_SERIES": "Istio",
        "HEADGATE_PROMETHEUS_SCRAPE_INTERVAL": "30s",
        "HEADGATE_PROMETHEUS_TOKEN_FILE": str(tmp_path / "token"),
        "HEADGATE_ALLOW_URL": "cluster https://hooks.example.com/headgate",
        "HEADGATE_HEALTH_ADDRESS": "127.0.0.1:0",
        "HEADGATE_UI": "true",
        "HEADGATE_UI_ADDRESS": "[::1]:0",
        "HEADGATE_UI_PROXY_HEADER": "X-Forwarded-User",
        "HEADGATE_LOG_FORMAT": "json",
        "HEADGATE_WORKERS": "3",
        "HEADGATE_LEADER_ELECTION": "false",
        "HEADGATE_LEASE_NAMESPACE": "sys",
    }
    result = CliRunner().invoke(entry.main, [], env=environment, auto_envvar_prefix="HEADGATE")
    assert result.exit_code == 0, result.output
    (settings,) = started
    assert settings.namespaces == ("ml", "other")
    assert (settings.gateway.namespace, settings.gateway.name) == ("infra", "gate")
    assert settings.providers.envoy.addresses == ["http://10.0.0.7:19001", "http://10.0.0.8:19001"]
    assert settings.providers.envoy.flush == timedelta(seconds=1)
    prometheus = PrometheusProvider(
        address="https://prometheus.monitoring:9090", series=SeriesPreset.ISTIO, scrape_interval=timedelta(seconds=30)
    )
    assert settings.providers.prometheus == prometheus
    assert settings.providers.access == Access(token_file=tmp_path / "token", trusted="https://prometheus.monitoring:9090/")
    assert str(settings.allowed) == "cluster, https://hooks.example.com/headgate"
    assert settings.web == WebSettings(host="::1", port=0, access=AccessSettings(proxy_header="X-Forwarded-User"))
    assert (settings.workers, settings.leader_election, settings.lease_namespace) == (3, False, "sys")
    assert str(settings.kubeconfig) == str(tmp_path / "config")


def test_no_flag_at_all_means_in_cluster_and_every_namespace(started) -> None:
    assert CliRunner().invoke(entry.main, []).exit_code == 0
    (settings,) = started
    assert (settings.kubeconfig, settings.namespaces, settings.providers.envoy, settings.health) == (None, (), None, None)
    assert settings.web is None, "the web view is off unless asked for"
    assert settings.leader_election


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["--gateway", "kserve"], "write <namespace>/<name>, such as kserve/kserve-ingress-gateway"),
        (["--gateway", "kserve/UPPER"], "write <namespace>/<name>"),
        (["--health-address", "8080"], "write <host>:<port>, such as 0.0.0.0:8080"),
        (["--health-address", "localhost:99999"], "write <host>:<port>"),
        (["--envoy-address", "10.0.0.7:19001"], "write admin addresses such as http://10.0.0.7:19001"),
        (["--prometheus", "prometheus:9090"], "write the server's address, such as http://prometheus.monitoring:9090"),
        (["--prometheus", "http://p.m:9090", "--prometheus-scrape-interval", "0s"], "an interval above 0s"),
        (["--prometheus", "http://user:secret@p.m:9090"], "write user:password into a file for --prometheus-token-file"),
        (["--prometheus-token-file", "pyproject.toml"], "--prometheus-token-file needs --prometheus"),
        (["--prometheus", "http://p.m", "--prometheus-token-file", "/nowhere/token"], "there is no such file"),
        (["--prometheus-ca-file", "pyproject.toml"], "not a file of PEM certificates"),
        (["--prometheus-series", "Linkerd"], "'EnvoyGateway', 'Istio', 'Knative', 'KServe', 'MLServer'"),
        (["--allow-url", "example.com"], "'example.com' is no beginning of URLs: write cluster"),
        (["--envoy-flush", "1 second"], "is not a duration"),
        (["--freeze-window", "Friday"], "weekly such as Fri-16:00/Mon-08:00"),
        (["--breaker-share", "50"], "write a percentage"),
        (["--max-concurrent-rollouts", "0"], "x>=1"),
        (["--token-file", "/var/run/token"], "write <address>=<file>"),
        (["--token-file", "http://mlflow:5000=/no/such/file"], "there is no file /no/such/file"),
        (["--ui"], "--ui needs --ui-token-file, a file with a token of 16 bytes or more (openssl rand -hex 32), or --ui-proxy-header"),
        (["--ui", "--ui-token-file", "/no/such/file"], "--ui-token-file /no/such/file cannot be read (No such file or directory)"),
        (["--ui", "--ui-token-file", "/dev/null"], "--ui-token-file /dev/null has 0 bytes in it, and a token has 16 to 1024"),
        (
            ["--ui", "--ui-address", "8081", "--ui-proxy-header", "X-User"],
            "--ui-address '8081': write <host>:<port>, such as 127.0.0.1:8081",
        ),
        (["--ui", "--ui-address", "0.0.0.0:8081", "--ui-proxy-header", "X-User"], "anybody who reaches that address could send the header"),
    ],
)
def test_a_wrong_flag_is_refused_with_what_is_allowed(started, args, sentence) -> None:
    result = CliRunner().invoke(entry.main, args)
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert not started


def test_help_explains_every_option_and_its_variable() -> None:
    text = CliRunner().invoke(entry.main, ["--help"]).output
    for option in ("--kubeconfig", "--gateway", "--envoy-address", "--health-address", "--leader-election"):
        assert option in text
    assert "HEADGATE_ENVOY_ADDRESS" in text


def test_parsers_read_what_their_errors_recommend() -> None:
    assert parse_gateway("kserve/kserve-ingress-gateway").name == "kserve-ingress-gateway"
    assert parse_address("0.0.0.0:8080").port == 8080
    assert envoy_provider((), timedelta(seconds=5)) is None
    with pytest.raises(SettingsError):
        envoy_provider(("ftp://x",), timedelta(seconds=5))


def test_the_lease_lives_where_told_else_in_the_first_namespace_outside_of_a_pod() -> None:
    assert choose_lease_namespace("sys", ("ml",)) == "sys"
    assert choose_lease_namespace(None, ("ml", "b")) == "ml"
    assert choose_lease_namespace(None, ()) == "default"


def test_kopf_is_event_source_only() -> None:
    settings = kopf_settings(Shard())
    assert not settings.posting.enabled
    assert settings.peering.standalone
    assert settings.scanning.disabled
    assert settings.watching.chunk_size == 200
    assert settings.networking.request_timeout == 30
    registry = wire(Process(Settings(gateway=parse_gateway("a/b"), domain="d")), Settings(gateway=parse_gateway("a/b"), domain="d"))
    assert {handler.selector.plural or handler.selector.any_name for handler in registry._watching.get_all_handlers()} == {
        "modeldeployments"
    }
    assert not registry._changing.get_all_handlers()
    assert not registry._spawning.get_all_handlers()


async def test_an_event_puts_the_object_on_the_queue() -> None:
    settings = Settings(gateway=parse_gateway("a/b"), domain="d")
    process = Process(settings)
    (handler,) = (handler.fn for handler in wire(process, settings)._watching.get_all_handlers())
    await handler(type=None, meta={"namespace": "ml", "name": "x"})
    assert (await process.queue.get())[0] == ("ml", "x")
    process.queue.close()


async def test_every_line_of_a_pass_names_the_object_and_the_pass_also_those_of_tasks_it_started(capsys, started) -> None:
    configure(LogFormat.JSON, verbose=False)

    async def errand() -> None:
        logging.getLogger("below").info("from a task")

    with one_pass("ml", "x"):
        logging.getLogger("t").warning("held: %s", "why", extra={"reason": "NoData"})
        task = asyncio.create_task(errand())
    await task
    with one_pass("ml", "x"):
        logging.getLogger("t").info("again")
    logging.getLogger("t").info("outside")
    first, second, third, outside = map(json.loads, capsys.readouterr().err.splitlines())
    assert (first["object"], first["message"], first["reason"]) == ({"namespace": "ml", "name": "x"}, "held: why", "NoData")
    assert second["reconcile"] == first["reconcile"] != third["reconcile"]
    assert not {"object", "reconcile"} & outside.keys()


def test_text_log_lines_name_the_object_too(capsys, started) -> None:
    configure(LogFormat.TEXT, verbose=False)
    with one_pass("ml", "x"):
        logging.getLogger("t").info("moved")
    assert capsys.readouterr().err.rstrip().endswith("INFO    moved  [ml/x]")


def test_help_shows_every_option_with_its_variable_under_a_heading() -> None:
    text = CliRunner().invoke(entry.main, ["--help"], auto_envvar_prefix="HEADGATE").output
    for heading in ("Which objects:", "Rollouts:", "Evidence:", "Web view:", "Process:"):
        assert f"\n{heading}\n" in text
    flags = {option for parameter in entry.main.params for option in parameter.opts}
    assert {flag for flag in flags if flag not in text} == set()
    assert text.count("HEADGATE_") >= len(entry.main.params)


def test_a_shard_has_a_lease_of_its_own_unless_one_is_named(started) -> None:
    for arguments, name in (
        ([], "headgate-operator"),
        (["--shard-selector", "headgate.dev/shard=a"], "headgate-operator-headgate.dev-shard-a"),
        (["--shard-selector", "headgate.dev/shard=a", "--lease-name", "mine"], "mine"),
    ):
        assert CliRunner().invoke(entry.main, arguments).exit_code == 0
        assert started[-1].lease_name == name


def test_a_selector_that_means_nothing_is_refused_in_one_sentence(started) -> None:
    result = CliRunner().invoke(entry.main, ["--shard-selector", "shard in a"])
    assert result.exit_code == 2
    assert "'shard in a' is no label selector: write key=value" in result.output


def test_only_the_shards_own_objects_are_watched() -> None:
    selectors = kopf_settings(Shard("headgate.dev/shard=a")).watching.label_selectors
    assert set(selectors.values()) == {"headgate.dev/shard=a"}
    assert not kopf_settings(Shard()).watching.label_selectors


def test_kopf_chatter_stays_out_of_the_log(started) -> None:
    configure(LogFormat.TEXT, verbose=False)
    assert not logging.getLogger("kopf.objects").isEnabledFor(logging.INFO)
