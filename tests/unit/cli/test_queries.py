"""What `lint` says about queries, and that the page about them shows queries that work."""

import re
from pathlib import Path

import pytest
import yaml

from headgate_operator.api.manifest import problems
from headgate_operator.api.spec import Metric, ModelDeploymentSpec, PrometheusQueries
from headgate_operator.cli.queries import query_problems

PAGE = Path(__file__).parents[3] / "docs" / "metrics.md"
GOOD = "sum by (pod) (requests_total{pod=~'{{isvc}}-.+'})"


def spec_with(bad: str, total: str = GOOD) -> ModelDeploymentSpec:
    spec = ModelDeploymentSpec.model_validate({"model": {"uri": "s3://a/b", "format": {"name": "x"}, "runtime": "r"}})
    metric = Metric(name="own", prometheus=PrometheusQueries(bad=bad, total=total))
    return spec.model_copy(update={"analysis": spec.analysis.model_copy(update={"metrics": [metric]})})


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        ("sum by (pod) (x{pod=~'{{isvc}}.+'}", "is not PromQL: unclosed left parenthesis"),
        ("sum by (pod) (x{pod=~'{{isvc}}.+})", "is not PromQL: "),
        ("sum by (pod) (rate(x{pod=~'{{isvc}}.+'}[5m]))", "rate() makes no counter; write the counter itself"),
        ("round(increase(x{pod=~'{{isvc}}.+'}[1h]))", "increase() makes no counter"),
        ("scalar(x{pod=~'{{isvc}}.+'})", "must have an instant vector as its result"),
        ("x{pod=~'{{isvc}}.+'}[5m]", "must have an instant vector as its result"),
    ],
)
def test_a_query_that_cannot_count_is_one_sentence_with_its_place(bad: str, sentence: str) -> None:
    (problem,) = query_problems(spec_with(bad))
    assert problem.startswith("spec.analysis.metrics[0].prometheus.bad: ")
    assert sentence in problem


@pytest.mark.parametrize("query", [GOOD, f"{GOOD} or 0 * {GOOD}", "sum(a{s='{{slot}}'}) - sum(b{s='{{slot}}'})", "vector({{slot}})"])
def test_counters_are_accepted(query: str) -> None:
    assert query_problems(spec_with(query)) == []


def test_lint_refuses_them(headgate, write, build) -> None:
    queries = {"bad": "sum(x{a='{{isvc}}'}", "total": GOOD}
    prometheus = {"prometheus": {"address": "http://prometheus.monitoring:9090"}}
    manifest = build(analysis={"provider": prometheus, "metrics": [{"name": "own", "prometheus": queries}]})
    result = headgate("lint", write(manifest))
    assert result.exit_code == 1
    assert "spec.analysis.metrics[0].prometheus.bad: is not PromQL: unclosed left parenthesis" in result.stderr


def test_the_examples_of_the_page_are_valid() -> None:
    examples = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)]
    assert examples
    for example in examples:
        assert problems(example) == []
        assert query_problems(ModelDeploymentSpec.model_validate(example["spec"])) == []
