"""How the operator of this cluster was started: read from its Deployment, as the operator itself reads its flags and variables.

Files that flags name are the pod's: they are not looked at.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import click

from headgate_operator.controller.options import OPTIONS
from headgate_operator.controller.resources import CONFIG_MAPS, DEPLOYMENTS
from headgate_operator.controller.settings import LEASE_NAME, choose_lease_name
from headgate_operator.kube.protocol import KubeApi, Object

OPERATOR: Final = "headgate-operator"
"""Name of its Deployment and ServiceAccount, and the value of their name label, in manifests/operator."""
NAMESPACE: Final = "headgate-system"


@dataclass(frozen=True, kw_only=True)
class OperatorSettings:
    """What the checks need of them."""

    namespace: str = NAMESPACE
    deployment: Object | None = None
    account: str = OPERATOR
    namespaces: tuple[str, ...] = ()
    """Served ones; empty: all."""
    gateway: str = "kserve/kserve-ingress-gateway"
    prometheus: str | None = None
    series: str = "EnvoyGateway"
    scrape_interval: float = 15.0
    """Seconds that the operator believes in."""
    envoys: tuple[str, ...] = ()
    monitor: str | None = None
    lease_namespace: str = NAMESPACE
    lease_name: str = LEASE_NAME

    def but(self, **given: Any) -> "OperatorSettings":
        """Return them with what a person says instead; None is nothing said."""
        return replace(self, **{name: value for name, value in given.items() if value is not None})


class UnreadableSettingsError(Exception):
    """The Deployment's flags or variables are none that this release knows."""


async def read_settings(api: KubeApi, namespace: str) -> OperatorSettings:
    """Return the operator's settings, or defaults if there is no Deployment of it in that namespace."""
    deployment = await api.get(DEPLOYMENTS, namespace, OPERATOR)
    if deployment is None:
        return OperatorSettings(namespace=namespace, lease_namespace=namespace)
    pod = deployment["spec"]["template"]["spec"]
    container = pod["containers"][0]
    variables = await _variables(api, namespace, container)
    return settings_of([*(container.get("args") or ())], variables, namespace=namespace).but(
        deployment=deployment, account=pod.get("serviceAccountName")
    )


def settings_of(arguments: list[str], variables: Mapping[str, str], *, namespace: str) -> OperatorSettings:
    """Return what flags and variables say; a flag goes before its variable."""
    command = click.Command(OPERATOR, params=[*OPTIONS])
    try:
        given = command.make_context(OPERATOR, [*_as_flags(command, variables), *arguments], resilient_parsing=False).params
    except click.ClickException as error:
        raise UnreadableSettingsError(error.format_message()) from error
    return OperatorSettings(
        namespace=namespace,
        namespaces=tuple(given["namespaces"]),
        gateway=given["gateway"],
        prometheus=given["prometheus"],
        series=given["prometheus_series"],
        scrape_interval=given["prometheus_scrape_interval"].total_seconds(),
        envoys=tuple(given["envoy_addresses"]),
        monitor=given["monitor"],
        lease_namespace=given["lease_namespace"] or namespace,
        lease_name=choose_lease_name(given["lease_name"], given["shard"]),
    )


def _as_flags(command: click.Command, variables: Mapping[str, str]) -> Iterable[str]:
    """Yield the flags that the variables stand for."""
    for option in command.params:
        assert isinstance(option, click.Option)
        value = variables.get(str(option.envvar or f"HEADGATE_{(option.name or '').upper()}"))
        if not value:
            continue
        if option.is_flag:
            on, off = option.opts[0], (option.secondary_opts or [""])[0]
            yield from filter(None, [on if value.lower() in ("1", "true", "yes", "on", "t", "y") else off])
            continue
        for part in value.split() if option.multiple else [value]:
            yield from (option.opts[0], part)


async def _variables(api: KubeApi, namespace: str, container: Mapping[str, Any]) -> dict[str, str]:
    """Return the variables that are written in the pod or come from ConfigMaps. Secrets are never read."""
    found: dict[str, str] = {}
    for source in container.get("envFrom") or ():
        if reference := source.get("configMapRef"):
            config_map = await api.get(CONFIG_MAPS, namespace, reference["name"]) or {}
            found |= {f"{source.get('prefix', '')}{key}": value for key, value in (config_map.get("data") or {}).items()}
    for entry in container.get("env") or ():
        if "value" in entry:
            found[entry["name"]] = entry["value"]
        elif entry.get("valueFrom", {}).get("fieldRef", {}).get("fieldPath") == "metadata.namespace":
            found[entry["name"]] = namespace
    return found
