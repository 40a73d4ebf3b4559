"""The objects that the demo applies, exactly as a user would write them."""

from pathlib import Path
from typing import Any, Final

from headgate_operator.api.names import API_VERSION, KIND

NAME: Final = "flight-delay"
NAMESPACE: Final = "ml"
HOST: Final = f"{NAME}.{NAMESPACE}.example.com"
RUNTIME: Final = "headgate-xgboost"
REQUEST_TIMEOUT_SECONDS: Final = 5


def golden_config_map(version: int, golden: Path) -> dict[str, Any]:
    """Write the golden set of a version as the ConfigMap that its manifest names."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": _golden_name(version), "namespace": NAMESPACE},
        "data": {"golden.json": golden.read_text()},
    }


def model_deployment(version: int, uri: str) -> dict[str, Any]:
    """Write the ModelDeployment of a version. Durations suit the demo's 75 requests a second; real rollouts take their time."""
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": NAME, "namespace": NAMESPACE},
        "spec": {
            "model": {"uri": uri, "format": {"name": "xgboost", "version": "3"}, "runtime": RUNTIME, "protocol": "v2"},
            "serving": {"hostnames": [HOST], "requestTimeout": f"{REQUEST_TIMEOUT_SECONDS}s"},
            "rollout": {
                "steps": [{"weight": weight, "minDuration": "15s", "minRequests": 50} for weight in (10, 25, 50)],
                "watch": {"duration": "15s", "holdback": 5},
                "scaleDownDelay": "10s",
            },
            "analysis": {
                "interval": "15s",
                "metrics": [
                    {"name": "errors", "preset": "gateway-errors", "maximum": "2%"},
                    {"name": "latency", "preset": "gateway-latency", "slowerThan": "250ms", "maximum": "2%"},
                ],
            },
            "parity": {"mode": "Required", "golden": {"configMap": _golden_name(version)}},
        },
    }


def _golden_name(version: int) -> str:
    return f"{NAME}-{version}-golden"
