"""Every setting of the operator process as a flag and an environment variable, by what it is about. Declarations only."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from headgate_operator.api.quantities import parse_duration, parse_share
from headgate_operator.api.spec import SeriesPreset
from headgate_operator.controller.freeze import parse_freeze_window
from headgate_operator.controller.grouped import Grouped
from headgate_operator.controller.logs import LogFormat
from headgate_operator.controller.settings import LEASE_NAME
from headgate_operator.controller.shard import Shard

T = TypeVar("T")


def _read_by(parse: Callable[[str], T]) -> Callable[[click.Context, click.Parameter, Any], Any]:
    """Return a click callback that reads one text, or each of several; what `parse` refuses is the user's error."""

    def read(_ctx: click.Context, _parameter: click.Parameter, given: Any) -> Any:
        try:
            return tuple(map(parse, given)) if isinstance(given, tuple) else parse(given)
        except ValueError as error:
            raise click.BadParameter(str(error)) from error

    return read


def _group(heading: str) -> Callable[..., click.Option]:
    """Return what declares an option under a heading. All can be set by environment variables, which the help shows."""

    def option(*names: str, **attributes: Any) -> click.Option:
        return Grouped(names, group=heading, show_default=True, show_envvar=True, **attributes)

    return option


_fleet, _rollouts, _evidence, _web, _process = map(_group, ("Which objects", "Rollouts", "Evidence", "Web view", "Process"))
_FILE: Final = click.Path(path_type=Path)
_duration, _share = _read_by(parse_duration), _read_by(parse_share)

WHICH: Final = [
    _fleet("--kubeconfig", type=_FILE, help="Kubeconfig file (default: the pod's service account)."),
    _fleet("--namespace", "namespaces", multiple=True, envvar="HEADGATE_NAMESPACE",
           help="Namespace to serve; may be given several times (default: all)."),
    _fleet("--shard-selector", "shard", default="", callback=_read_by(Shard),
           help="Label selector of the ModelDeployments to serve, such as headgate.dev/shard=a, for fleets beyond one process "
           "(default: all of them). Every object must be selected by one operator at most."),
    _fleet("--leader-election/--no-leader-election", default=True, help="Hold a Lease, so that of several operators one works."),
    _fleet("--lease-namespace", help="Namespace of the Lease (default: the operator's own)."),
    _fleet("--lease-name", help=f"Name of the Lease (default: {LEASE_NAME}, and what --shard-selector says). "
           "Two operators in one namespace that serve different namespaces need two."),
]  # fmt: skip

ROLLOUTS: Final = [
    _rollouts("--gateway", default="kserve/kserve-ingress-gateway", help="<namespace>/<name> of the Gateway for objects that name none."),
    _rollouts("--domain", default="example.com", help="Objects without hostnames get <name>.<namespace>.<domain>."),
    _rollouts("--max-concurrent-rollouts", type=click.IntRange(1),
              help="Canaries under way at the same time; first and known-good revisions do not count (default: any number)."),
    _rollouts("--freeze-window", "freeze_windows", multiple=True, envvar="HEADGATE_FREEZE_WINDOW", callback=_read_by(parse_freeze_window),
              help="When no candidate starts and no weight is raised, in UTC: Fri-16:00/Mon-08:00 every week, or "
              "2026-12-23T18:00Z/2027-01-02T08:00Z; may be given several times. Rollbacks go on."),
    _rollouts("--breaker-share", default="50%", callback=_share,
              help="When more than this share of the canaries under way, and at least 3, cannot read their metrics, "
              "none goes on or gives up."),
    _rollouts("--breaker-window", default="5m", callback=_duration,
              help="How long one failure to read metrics counts for --breaker-share."),
    _rollouts("--allow-url", "allowed", multiple=True, envvar="HEADGATE_ALLOW_URL",
              help="What a URL in a manifest (of a metric provider, a hook, a model registry or a training pipeline) may begin with, such "
              "as https://hooks.example.com/headgate or https://*.example.com; 'cluster' stands for Services and private addresses. "
              "May be given several times (default: cluster)."),
    _rollouts("--token-file", "tokens", multiple=True, envvar="HEADGATE_TOKEN_FILE",
              help="<address>=<file>: a bearer token, or user:password, that only the model registry or the training pipelines at that "
              "address are sent; read before every request. May be given several times (default: none)."),
]  # fmt: skip

EVIDENCE: Final = [
    _evidence("--envoy-address", "envoy_addresses", multiple=True, envvar="HEADGATE_ENVOY_ADDRESS",
              help="Admin address of a proxy of the gateway, such as http://10.0.0.7:19001; name every one. "
              "For objects that name no provider."),
    _evidence("--envoy-flush", default="5s", callback=_duration, help="The proxies' stats flush interval."),
    _evidence("--prometheus", help="Address of a Prometheus server, such as http://prometheus.monitoring:9090, for objects that name no "
              "provider: for metrics with queries of their own, and without --envoy-address for the presets too."),
    _evidence("--prometheus-series", type=click.Choice([one.value for one in SeriesPreset]), default=SeriesPreset.ENVOY_GATEWAY.value,
              help="Whose request counters the presets read from it."),
    _evidence("--prometheus-scrape-interval", default="15s", callback=_duration,
              help="How often it scrapes them; no block of evidence is shorter than two of these."),
    _evidence("--prometheus-token-file", type=_FILE,
              help="File with a bearer token, or user:password, for --prometheus alone; read before every request."),
    _evidence("--prometheus-ca-file", type=_FILE, help="Certificates (PEM) to believe Prometheus servers by, beside the system's own."),
    _evidence("--monitor", help="Address of the drift monitor, such as http://headgate-monitor.{{namespace}}.svc; the placeholder is the "
              "ModelDeployment's namespace (default: none, nothing watches for drift)."),
    _evidence("--monitor-token-file", help="File with its bearer token, read before every question. With {{namespace}} in the path "
              "the monitor of each namespace is sent its own, which is good for no other."),
]  # fmt: skip

WEB: Final = [
    _web("--ui", is_flag=True, help="Serve the read-only web view under /ui; needs --ui-token-file or --ui-proxy-header."),
    _web("--ui-address", default="127.0.0.1:8081", help="<host>:<port> of the web view; kubectl port-forward reaches 127.0.0.1."),
    _web("--ui-token-file", type=_FILE,
         help="File with the token that people sign in with and programs send as a bearer token; read before every answer."),
    _web("--ui-proxy-header", metavar="NAME",
         help="Header such as X-Forwarded-User in which a proxy in the same pod says who asks; whoever has it is let in, so "
         "--ui-address must be on 127.0.0.1 (default: none is believed)."),
]  # fmt: skip

PROCESS: Final = [
    _process("--health-address", help="<host>:<port> for /healthz, /readyz and /metrics (default: none)."),
    _process("--log-format", type=click.Choice([one.value for one in LogFormat]), default=LogFormat.TEXT.value,
             help="For people or machines."),
    _process("--audit-log", metavar="FILE|-",
             help="Where every change of traffic is written down as a line of JSON, with who or what wanted it and from which evidence; "
             "- is standard output (default: nowhere). Files are rotated at 32 MB, 4 older ones are kept."),
    _process("--verbose", is_flag=True, help="Log more, kopf's own lines too."),
    _process("--workers", type=click.IntRange(1, 64), default=8, help="Objects looked at at the same time."),
    _process("--start-timeout", default="60s", callback=_duration,
             help="How long to wait for the API server and its CRDs before giving up."),
]  # fmt: skip

OPTIONS: Final[list[click.Parameter]] = [*WHICH, *ROLLOUTS, *EVIDENCE, *WEB, *PROCESS]
