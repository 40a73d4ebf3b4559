"""Dashboards are those that the code makes, explain themselves, and ask for series that somebody serves."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import REGISTRY, generate_latest
from prometheus_client.parser import text_string_to_metric_families

import headgate_serving.server.metrics  # noqa: F401  its series are registered by the import
from headgate_devcluster.dashboards.__main__ import generated
from headgate_devcluster.dashboards.panel import DOCS, RUNBOOK
from headgate_devcluster.dashboards.pipelines import KUBEFLOW
from headgate_monitor.collector.ring import Ring
from headgate_monitor.service.engine import Engine
from headgate_monitor.service.exposition import exposition
from headgate_monitor.service.state import Store
from headgate_operator.api.spec import SeriesPreset
from headgate_operator.controller.telemetry import Telemetry
from headgate_operator.metrics.presets import PRESETS
from tests.dashboards import MANIFESTS, PAGES, filled, panels, queries, recorded, rules, slug

ROOT = MANIFESTS.parent
VARIABLES = {"namespace": "ml", "model": "fraud", "__rate_interval": "1m", "__range": "1h"}


def test_the_manifests_are_the_generated_ones() -> None:
    files = generated(MANIFESTS)
    assert {path.name for path in files if path.suffix == ".json"} == {path.name for path in (MANIFESTS / "dashboards").glob("*.json")}
    for path, text in files.items():
        assert path.read_text() == text, f"{path.name}: run make dashboards"


@pytest.mark.parametrize("name", PAGES)
def test_every_panel_explains_itself_and_has_its_place(name: str) -> None:
    page = PAGES[name]
    places = [panel["gridPos"] for panel in panels(page)]
    assert len({(place["x"], place["y"]) for place in places}) == len(places)
    assert all(place["x"] + place["w"] <= 24 for place in places)
    for panel in panels(page):
        assert panel["description"].endswith("."), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["targets"], panel["title"]
        assert panel["datasource"]["uid"] == "${datasource}"
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])
    titles = [(panel["title"], panel["gridPos"]["y"]) for panel in panels(page)]
    assert len(set(titles)) == len(titles)


def links(page: dict[str, object]) -> Iterator[str]:
    yield from re.findall(r'"url": "([^"]+)"', str(page).replace("'", '"'))


def test_links_lead_to_pages_and_sections_that_exist() -> None:
    for name, page in PAGES.items():
        found = list(links(page))
        assert RUNBOOK in found, name
        for link in found:
            url, _, anchor = link.partition("#")
            text = (ROOT / "docs" / Path(url.removeprefix(f"{DOCS}/"))).read_text()
            assert not anchor or anchor in {slug(heading) for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}, link


def test_a_variable_that_grafana_does_not_know_is_found() -> None:
    assert filled('x{n=~"$model"}[$__range]', VARIABLES) == 'x{n=~"fraud"}[1h]'
    assert filled('label_replace(x, "a", "$1", "b", "(.+)")', VARIABLES).count("$1") == 1
    with pytest.raises(KeyError, match="nobody"):
        filled("x{n=~'$nobody'}", VARIABLES)


def families(text: str) -> set[str]:
    """Series of an exposition, as they are queried."""
    found = set()
    for family in text_string_to_metric_families(text):
        if family.name.endswith("_created"):  # the client library's own
            continue
        endings = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}.get(family.type, ("",))
        found |= {f"{family.name}{ending}" for ending in endings}
    return found


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Every series that the operator, model servers, monitors and Envoy are known to serve."""
    with Store(tmp_path_factory.mktemp("state")) as store:
        monitor = exposition(Engine(store, lambda: 0.0), Ring()).decode()
    (envoy,) = PRESETS[SeriesPreset.ENVOY_GATEWAY].families
    server = generate_latest(REGISTRY).decode()
    return families(Telemetry().render().decode()) | families(monitor) | families(server) | {*envoy.names, "up"}


def test_queries_and_rules_ask_for_series_that_are_served(served: set[str]) -> None:
    for asked in (*queries(**VARIABLES), *rules()):
        assert asked.series, asked
        assert asked.series <= served | recorded() | KUBEFLOW, asked


def test_every_series_of_our_own_is_on_a_dashboard_or_in_a_rule(served: set[str]) -> None:
    """Those that are not are for joins and for people who write their own."""
    asked = {name for one in (*queries(**VARIABLES), *rules()) for name in one.series}
    ours = {re.sub(r"_(bucket|sum|count)$", "", name) for name in served if name.startswith("headgate_")}
    left = ours - {re.sub(r"_(bucket|sum|count)$", "", name) for name in asked}
    assert left == {"headgate_model_owner", "headgate_monitor_deployments", "headgate_monitor_detector_info"}
