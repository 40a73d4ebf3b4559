"""Cluster names from templates."""

import pytest

from headgate_operator.api.spec import EnvoyProvider
from headgate_operator.metrics.clusters import cluster_name

VALUES = {"namespace": "ml", "name": "flight-delay", "slot": "1", "isvc": "flight-delay-0a1b2c3d", "revision": "r0a1b2c3d"}


def test_the_default_is_envoy_gateways_name_by_position():
    default = EnvoyProvider(addresses=["http://127.0.0.1:1"]).cluster
    assert cluster_name(default, VALUES) == "httproute/ml/flight-delay/rule/0/backend/1"


def test_colons_are_underscores_in_envoys_statistics():
    assert cluster_name("outbound:80::{{ isvc }}", VALUES) == "outbound_80__flight-delay-0a1b2c3d"


@pytest.mark.parametrize("template", ["{{Name}}", "a/{{}}"])
def test_an_unknown_placeholder_is_refused_with_the_known_ones(template):
    with pytest.raises(ValueError, match=r"allowed: \{\{namespace\}\}, \{\{name\}\}, \{\{revision\}\}, \{\{isvc\}\}, \{\{slot\}\}"):
        cluster_name(template, VALUES)
