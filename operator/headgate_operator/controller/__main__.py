"""`python -m headgate_operator.controller`: the operator process."""

import logging
import os
import sys
from datetime import timedelta
from pathlib import Path

import click
import kopf

from headgate_operator.api.quantities import parse_duration, parse_share
from headgate_operator.api.spec import SeriesPreset
from headgate_operator.controller.events import kopf_settings, wire
from headgate_operator.controller.fleet import FleetSettings
from headgate_operator.controller.freeze import FreezeWindow, parse_freeze_window
from headgate_operator.controller.logs import LogFormat, configure
from headgate_operator.controller.process import Process
from headgate_operator.controller.scrape import Providers
from headgate_operator.controller.settings import (
    Settings,
    SettingsError,
    access,
    allow_list,
    choose_lease_namespace,
    envoy_provider,
    parse_address,
    parse_gateway,
    prometheus_provider,
)

_log = logging.getLogger(__name__)


def _duration(_ctx: click.Context, _parameter: click.Parameter, text: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _share(_ctx: click.Context, _parameter: click.Parameter, text: str) -> float:
    try:
        return parse_share(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _windows(_ctx: click.Context, _parameter: click.Parameter, texts: tuple[str, ...]) -> tuple[FreezeWindow, ...]:
    try:
        return tuple(parse_freeze_window(text) for text in texts)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.command(context_settings={"auto_envvar_prefix": "HEADGATE", "show_default": True, "max_content_width": 110})
@click.option(
    "--kubeconfig", type=click.Path(path_type=Path), show_envvar=True, help="Kubeconfig file (default: the pod's service account)."
)
@click.option("--namespace", "namespaces", multiple=True, envvar="HEADGATE_NAMESPACE", show_envvar=True,
              help="Namespace to serve; may be given several times (default: all).")  # fmt: skip
@click.option("--gateway", default="kserve/kserve-ingress-gateway", show_envvar=True,
              help="<namespace>/<name> of the Gateway for objects that name none.")  # fmt: skip
@click.option("--domain", default="example.com", show_envvar=True,
              help="Objects without hostnames get <name>.<namespace>.<domain>.")  # fmt: skip
@click.option("--envoy-address", "envoy_addresses", multiple=True, envvar="HEADGATE_ENVOY_ADDRESS", show_envvar=True,
              help="Admin address of a proxy of the gateway, such as http://10.0.0.7:19001; name every one. "
              "For objects that name no provider.")  # fmt: skip
@click.option("--envoy-flush", default="5s", callback=_duration, show_envvar=True, help="The proxies' stats flush interval.")
@click.option("--prometheus", show_envvar=True,
              help="Address of a Prometheus server, such as http://prometheus.monitoring:9090, for objects that name no provider: "
              "for metrics with queries of their own, and without --envoy-address for the presets too.")  # fmt: skip
@click.option("--prometheus-series", type=click.Choice([one.value for one in SeriesPreset]), default=SeriesPreset.ENVOY_GATEWAY.value,
              show_envvar=True, help="Whose request counters the presets read from it.")  # fmt: skip
@click.option("--prometheus-scrape-interval", default="15s", callback=_duration, show_envvar=True,
              help="How often it scrapes them; no block of evidence is shorter than two of these.")  # fmt: skip
@click.option("--prometheus-token-file", type=click.Path(path_type=Path), show_envvar=True,
              help="File with a bearer token, or user:password, for --prometheus alone; read before every request.")  # fmt: skip
@click.option("--prometheus-ca-file", type=click.Path(path_type=Path), show_envvar=True,
              help="Certificates (PEM) to believe Prometheus servers by, beside the system's own.")  # fmt: skip
@click.option("--allow-url", "allowed", multiple=True, envvar="HEADGATE_ALLOW_URL", show_envvar=True,
              help="What a URL in a manifest (of a metric provider or a hook) may begin with, such as https://hooks.example.com/headgate "
              "or https://*.example.com; 'cluster' stands for Services and private addresses. May be given several times "
              "(default: cluster).")  # fmt: skip
@click.option("--monitor", show_envvar=True,
              help="Address of the drift monitor, such as http://headgate-monitor.{{namespace}}.svc; the placeholder is the "
              "ModelDeployment's namespace (default: none, nothing watches for drift).")  # fmt: skip
@click.option("--health-address", show_envvar=True, help="<host>:<port> for /healthz, /readyz and /metrics (default: none).")
@click.option("--log-format", type=click.Choice([one.value for one in LogFormat]), default=LogFormat.TEXT.value, show_envvar=True,
              help="For people or machines.")  # fmt: skip
@click.option("--verbose", is_flag=True, show_envvar=True, help="Log more, kopf's own lines too.")
@click.option("--workers", type=click.IntRange(1, 64), default=8, show_envvar=True, help="Objects looked at at the same time.")
@click.option("--leader-election/--no-leader-election", default=True, show_envvar=True,
              help="Hold a Lease, so that of several operators one works.")  # fmt: skip
@click.option("--lease-namespace", show_envvar=True, help="Namespace of the Lease (default: the operator's own).")
@click.option("--lease-name", default="headgate-operator", show_envvar=True,
              help="Name of the Lease. Two operators in one namespace that serve different namespaces need two.")  # fmt: skip
@click.option("--start-timeout", default="60s", callback=_duration, show_envvar=True,
              help="How long to wait for the API server and its CRDs before giving up.")  # fmt: skip
@click.option("--max-concurrent-rollouts", type=click.IntRange(1), show_envvar=True,
              help="Canaries under way at the same time; first and known-good revisions do not count (default: any number).")  # fmt: skip
@click.option("--freeze-window", "freeze_windows", multiple=True, envvar="HEADGATE_FREEZE_WINDOW", show_envvar=True, callback=_windows,
              help="When no candidate starts and no weight is raised, in UTC: Fri-16:00/Mon-08:00 every week, or "
              "2026-12-23T18:00Z/2027-01-02T08:00Z; may be given several times. Rollbacks go on.")  # fmt: skip
@click.option("--breaker-share", default="50%", callback=_share, show_envvar=True,
              help="When more than this share of the canaries under way, and at least 3, cannot read their metrics, "
              "none goes on or gives up.")  # fmt: skip
@click.option("--breaker-window", default="5m", callback=_duration, show_envvar=True,
              help="How long one failure to read metrics counts for --breaker-share.")  # fmt: skip
def main(
    kubeconfig: Path | None, namespaces: tuple[str, ...], gateway: str, domain: str, envoy_addresses: tuple[str, ...],
    envoy_flush: timedelta, prometheus: str | None, prometheus_series: str, prometheus_scrape_interval: timedelta,
    prometheus_token_file: Path | None, prometheus_ca_file: Path | None, allowed: tuple[str, ...], monitor: str | None,
    health_address: str | None, log_format: str, verbose: bool, workers: int, leader_election: bool, lease_namespace: str | None,
    lease_name: str, start_timeout: timedelta, max_concurrent_rollouts: int | None,
    freeze_windows: tuple[FreezeWindow, ...], breaker_share: float, breaker_window: timedelta,
) -> None:  # fmt: skip
    """Run the Headgate operator.

    It watches ModelDeployments and rolls each new model version out on KServe: canary traffic, a statistical verdict, automatic rollback.
    Every option can be set by an environment variable. Ends with 0 on SIGTERM, with 1 if it cannot start or loses its lease.
    """
    configure(LogFormat(log_format), verbose=verbose)
    try:
        settings = Settings(
            gateway=parse_gateway(gateway),
            domain=domain,
            namespaces=namespaces,
            providers=Providers(
                envoy=envoy_provider(envoy_addresses, envoy_flush),
                prometheus=prometheus_provider(prometheus, prometheus_series, prometheus_scrape_interval),
                access=access(prometheus, prometheus_token_file, prometheus_ca_file),
            ),
            allowed=allow_list(allowed),
            monitor=monitor,
            kubeconfig=kubeconfig,
            health=parse_address(health_address) if health_address else None,
            workers=workers,
            leader_election=leader_election,
            start_timeout=start_timeout,
            lease_namespace=choose_lease_namespace(lease_namespace, namespaces),
            lease_name=lease_name,
            fleet=FleetSettings(
                max_concurrent_rollouts=max_concurrent_rollouts,
                freeze_windows=freeze_windows,
                breaker_share=breaker_share,
                breaker_window=breaker_window,
            ),
        )
    except SettingsError as error:
        raise click.UsageError(str(error)) from error
    if kubeconfig is not None:
        os.environ["KUBECONFIG"] = str(kubeconfig)  # kopf reads it from there, each time it logs in
    run(settings)


def run(settings: Settings) -> None:
    """Run until a signal; exits with 1 and one line if it cannot start."""
    process = Process(settings)
    try:
        kopf.run(
            registry=wire(process, settings),
            settings=kopf_settings(),
            standalone=True,
            clusterwide=not settings.namespaces,
            namespaces=settings.namespaces,
        )
    except Exception as error:
        if process.failure is None:
            raise
        _log.debug("the start failed", exc_info=error)
        click.echo(f"headgate: error: the operator cannot start: {process.failure}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
