"""The reports in a real browser: silent, self-contained, as wide as a telephone, and legible without eyes and in the dark."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from headgate_components import html, plots
from headgate_components.data_processing.build_features.logic import BuiltFeatures, Parts
from headgate_components.data_processing.build_features.report import write_report
from headgate_components.data_processing.validate_data.logic import validate
from headgate_components.deployment.model_card.logic import model_card
from headgate_components.deployment.model_card.sections import Words
from headgate_components.evaluation.ablate.logic import ablate
from headgate_components.evaluation.compare_to_champion import report as comparison_report
from headgate_components.evaluation.compare_to_champion.judgement import Measured, Rule, judge
from headgate_components.evaluation.evaluate.logic import Limits, evaluate
from headgate_components.evaluation.explain.logic import explain
from headgate_components.evaluation.fairness.logic import Rule as FairnessRule
from headgate_components.evaluation.fairness.logic import fairness
from headgate_components.models import read_features
from headgate_components.training.settings import Settings
from headgate_components.training.tune.logic import tune
from headgate_components.training.tune.search import Budget
from tests.chromium import chromium, needs_chromium

TELEPHONE: ViewportSize = {"width": 360, "height": 800}
REPORTS = (
    "ablate",
    "build_features",
    "compare_to_champion",
    "evaluate",
    "explain",
    "fairness",
    "hostile",
    "model_card",
    "tune",
    "validate_data",
)
SCHEMA = "schema_type: dataframe\ncolumns:\n  load: {dtype: float64, checks: {in_range: {min_value: 0, max_value: 1}}}\n"
LEAST_CONTRAST = 4.5
"""Of text, WCAG 2.2 level AA."""

pytestmark = needs_chromium

CONTRAST = """() => {
  const luminance = colour => {
    const parts = colour.match(/[\\d.]+/g).slice(0, 3).map(part => part / 255)
      .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
  };
  const paper = luminance(getComputedStyle(document.body).backgroundColor);
  const ratio = ink => (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
  const words = [...document.querySelectorAll("p, li, td, th, h1, h2, figcaption, svg text")];
  const colour = word => word.matches("svg text") ? getComputedStyle(word).fill : getComputedStyle(word).color;
  return Math.min(...words.map(word => ratio(luminance(colour(word)))));
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as launched:
        yield launched


@pytest.fixture(scope="module")
def reports(trained: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a report of each component, from real steps where that is cheap."""
    folder = tmp_path_factory.mktemp("reports")
    files = (trained.evaluation_rows, trained.features, trained.model)
    scrap = folder / "scrap"
    limits = Limits(roc_auc=0.99)
    slices = ("city", "load", "at")
    evaluate(*files, label="late", limits=limits, slice_columns=slices, metrics_path=scrap, report=folder / "evaluate.html")
    rule = FairnessRule(maximum_difference=0.1)
    fairness(*files, label="late", groups=("city",), rule=rule, metrics_path=scrap, report=folder / "fairness.html")
    explain(*files, rows=200, seed=0, importance=scrap, report=folder / "explain.html")
    validate(trained.train_rows, SCHEMA, folder / "validate_data.html", reference=trained.evaluation_rows)
    built = BuiltFeatures(read_features(trained.features), 1500, 600, 0)
    write_report(Parts(trained.train_rows, trained.evaluation_rows), built, folder / "build_features.html")
    measured = Measured(rows=1000, champion=0.7, challenger=0.8, lower_bound=0.05, shift=0.1, champion_ms=0.1, challenger_ms=0.25)
    verdict = judge(measured, Rule(latency_ratio=2), "3")
    html.write(folder / "compare_to_champion.html", "Comparison", comparison_report.sections(verdict, measured, Rule()))
    rows = (trained.train_rows, trained.evaluation_rows)
    small = Settings(trees=5)
    ablate(*rows, trained.features, label="late", settings=small, groups="", seconds=60, table=scrap, report=folder / "ablate.html")
    budget, tuned = Budget(2, 60), {"study_path": scrap, "report": folder / "tune.html"}
    tune(trained.train_rows, trained.features, label="late", base=small, budget=budget, folds=2, **tuned)
    scrap.write_text(json.dumps({"modelName": "x" * 100, "lineage": {"modelDigest": "sha256:" + "a" * 64}}))
    model_card(scrap, scrap, words=Words(owner="<b>ops</b>"), card=folder / "card.md", page=folder / "model_card.html")
    evil = '"><script>alert(1)</script><img src="http://127.0.0.1:9/x" onerror="alert(2)"> $x_$' + "x" * 200
    figure = plots.bars(evil, evil, [evil, "b"], [plots.Bars(evil, [1, 2]), plots.Bars("other", [2, 1])], x=evil)
    html.write(folder / "hostile.html", evil, [html.verdict([evil]), html.table(evil, [evil], [[evil]]), figure])
    return folder


@pytest.fixture
def seen(browser: Browser, reports: Path, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The report the test is parametrised with, on a telephone, after it loaded without a word or a request."""
    page = browser.new_page(viewport=TELEPHONE)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.on("request", lambda asked: said.append(asked.url))
    address = (reports / f"{request.param}.html").as_uri()
    page.goto(address)
    assert said == [address]
    yield page
    page.close()


@pytest.mark.parametrize("seen", REPORTS, indirect=True)
def test_a_report_is_silent_self_contained_narrow_and_accessible(seen: Page) -> None:
    assert seen.evaluate("document.documentElement.scrollWidth") <= TELEPHONE["width"]
    assert seen.locator("h1").count() == 1
    assert seen.locator("html").get_attribute("lang") == "en"
    for figure in seen.locator("figure").all():
        drawing = figure.locator("svg")
        assert drawing.get_attribute("role") == "img"
        assert drawing.locator("title").first.text_content()
        assert len(drawing.locator("desc").first.text_content() or "") > 20
    identifiers = seen.evaluate("[...document.querySelectorAll('[id]')].map(element => element.id)")
    assert len(set(identifiers)) == len(identifiers)
    assert seen.evaluate(CONTRAST) >= LEAST_CONTRAST
    seen.emulate_media(color_scheme="dark")
    assert seen.evaluate(CONTRAST) >= LEAST_CONTRAST


@pytest.mark.parametrize("seen", ["evaluate"], indirect=True)
def test_the_figures_are_drawn_and_named_for_those_who_do_not_see_them(seen: Page) -> None:
    tree = seen.locator("main").aria_snapshot()
    assert re.findall(r"- img \"([^\"]+)\"", tree) == ["ROC", "Precision and recall", "Predicted and observed", "ROC AUC of slices"]
    widths = seen.evaluate("[...document.querySelectorAll('svg')].map(drawing => drawing.getBoundingClientRect().width)")
    assert all(300 < width <= TELEPHONE["width"] for width in widths)
