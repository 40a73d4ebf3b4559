"""`python -m headgate_operator.controller`: the operator process."""

import asyncio
import gc
import logging
import os
import sys
from typing import Any, Final

import click
import kopf
import uvloop

from headgate_operator.controller.events import wire
from headgate_operator.controller.fleet import FleetSettings
from headgate_operator.controller.grouped import GroupedCommand
from headgate_operator.controller.kopf_settings import kopf_settings
from headgate_operator.controller.logs import LogFormat, configure
from headgate_operator.controller.options import OPTIONS
from headgate_operator.controller.process import Process
from headgate_operator.controller.scrape import Providers
from headgate_operator.controller.settings import (
    Settings,
    SettingsError,
    access,
    allow_list,
    choose_lease_name,
    choose_lease_namespace,
    envoy_provider,
    parse_address,
    parse_gateway,
    prometheus_provider,
    token_files,
)
from headgate_operator.controller.web_view import web_settings

_COLLECT: Final = (20_000, 20, 50)
"""Cycles are looked for this seldom: a look makes thousands of objects and leaves none behind."""

_log = logging.getLogger(__name__)


@click.command(
    cls=GroupedCommand, params=[*OPTIONS], context_settings={"auto_envvar_prefix": "HEADGATE", "max_content_width": 110}
)  # fmt: skip
def main(**given: Any) -> None:
    """Run the Headgate operator.

    It watches ModelDeployments and rolls each new model version out on KServe: canary traffic, a statistical verdict, automatic rollback.
    Every option can be set by an environment variable. Ends with 0 on SIGTERM, with 1 if it cannot start or loses its lease.
    """
    configure(LogFormat(given["log_format"]), verbose=given["verbose"])
    try:
        settings = settings_from(**given)
    except SettingsError as error:
        raise click.UsageError(str(error)) from error
    if settings.kubeconfig is not None:
        os.environ["KUBECONFIG"] = str(settings.kubeconfig)  # kopf reads it from there, each time it logs in
    run(settings)


def settings_from(**given: Any) -> Settings:
    """Return the settings that the options say; SettingsError if two of them do not fit, or one means nothing."""
    return Settings(
        gateway=parse_gateway(given["gateway"]),
        domain=given["domain"],
        namespaces=given["namespaces"],
        shard=given["shard"],
        providers=Providers(
            envoy=envoy_provider(given["envoy_addresses"], given["envoy_flush"]),
            prometheus=prometheus_provider(given["prometheus"], given["prometheus_series"], given["prometheus_scrape_interval"]),
            access=access(given["prometheus"], given["prometheus_token_file"], given["prometheus_ca_file"]),
        ),
        allowed=allow_list(given["allowed"]),
        tokens=token_files(given["tokens"]),
        monitor=given["monitor"],
        monitor_token_file=given["monitor_token_file"],
        kubeconfig=given["kubeconfig"],
        health=parse_address(given["health_address"]) if given["health_address"] else None,
        web=web_settings(
            wanted=given["ui"], address=given["ui_address"], token_file=given["ui_token_file"], proxy_header=given["ui_proxy_header"]
        ),
        workers=given["workers"],
        leader_election=given["leader_election"],
        start_timeout=given["start_timeout"],
        audit_log=given["audit_log"],
        lease_namespace=choose_lease_namespace(given["lease_namespace"], given["namespaces"]),
        lease_name=choose_lease_name(given["lease_name"], given["shard"]),
        fleet=FleetSettings(
            max_concurrent_rollouts=given["max_concurrent_rollouts"],
            freeze_windows=given["freeze_windows"],
            breaker_share=given["breaker_share"],
            breaker_window=given["breaker_window"],
        ),
    )


def run(settings: Settings) -> None:
    """Run until a signal; exits with 1 and one line if it cannot start."""
    process = Process(settings)
    gc.set_threshold(*_COLLECT)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # a tenth less processor time than on asyncio's own loop
            runner.run(
                kopf.operator(
                    registry=wire(process, settings),
                    settings=kopf_settings(settings.shard),
                    standalone=True,
                    clusterwide=not settings.namespaces,
                    namespaces=settings.namespaces,
                )
            )
    except Exception as error:
        if process.failure is None:
            raise
        _log.debug("the start failed", exc_info=error)
        click.echo(f"headgate: error: the operator cannot start: {process.failure}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
