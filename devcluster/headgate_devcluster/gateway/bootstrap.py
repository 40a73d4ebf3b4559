"""Envoy's start-up configuration: two loopback listeners, the admin page, and where the changing parts are read from.

Listeners never change, so they are static; routes, clusters and endpoints come from files (`files.py`). Everything is JSON, which Envoy
reads as YAML's safe subset: unquoted strings such as n and y are booleans in YAML.
"""

from pathlib import Path
from typing import Any

PUBLIC = "public"
"""Name of the listener, and of its route table, that stands for the gateway's address."""

CLUSTER_LOCAL = "cluster-local"
"""The one that reaches Services by their cluster-local names, as an HTTP proxy."""

STATS_FLUSH_SECONDS = 1
"""How often Envoy publishes its histograms. Its own default, 5 s, would make latency evidence five times slower."""

_HCM = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
_CONNECTIONS = "type.googleapis.com/envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig"
_DOWNSTREAM_IDLE = "300s"


def bootstrap(resources: Path, *, public_port: int = 0, local_port: int = 0, admin_port: int = 0) -> dict[str, Any]:
    """The bootstrap of an Envoy that reads its routes and clusters from `resources`; port 0 is any free one."""
    return {
        "node": {"id": "devcluster", "cluster": "headgate"},
        "admin": {"address": _loopback(admin_port)},
        "stats_flush_interval": f"{STATS_FLUSH_SECONDS}s",
        "static_resources": {
            "listeners": [_listener(PUBLIC, public_port, resources), _listener(CLUSTER_LOCAL, local_port, resources)],
        },
        "dynamic_resources": {"cds_config": file_source(resources / "clusters.json")},
        # Without a limit Envoy warns on every start; with it a leak of connections shows as an error instead of a dead machine.
        "overload_manager": {
            "resource_monitors": [
                {
                    "name": "envoy.resource_monitors.global_downstream_max_connections",
                    "typed_config": {
                        "@type": _CONNECTIONS,
                        "max_active_downstream_connections": 10_000,
                    },
                }
            ]
        },
    }


def file_source(path: Path) -> dict[str, Any]:
    """A config source that re-reads `path` whenever another file is renamed onto it."""
    return {"path_config_source": {"path": str(path)}, "resource_api_version": "V3"}


def _loopback(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _listener(name: str, port: int, resources: Path) -> dict[str, Any]:
    manager = {
        "@type": _HCM,
        "stat_prefix": name,
        "rds": {"route_config_name": name, "config_source": file_source(resources / f"routes-{name}.json")},
        "strip_any_host_port": True,
        "common_http_protocol_options": {"idle_timeout": _DOWNSTREAM_IDLE},
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {"@type": _ROUTER}}],
    }
    return {
        "name": name,
        "address": _loopback(port),
        # With reuse_port a second Envoy would share a busy port silently instead of being refused.
        "enable_reuse_port": False,
        "filter_chains": [{"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}],
    }
