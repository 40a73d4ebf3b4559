"""Parameters in the types that kfp wants: it refuses 10 where it declared a number with a fraction."""

from pathlib import Path

import yaml

from headgate_pipelines.kubeflow.parameters import typed
from headgate_pipelines.recipe import read_recipe, recipe_parameters

COLUMNS = {"time": "seen_at", "label": "churned", "id": "customer", "categories": ["plan"], "numbers": ["spend"]}


def test_a_recipe_of_nothing_but_columns_gives_fractions_where_they_are_declared(tmp_path: Path) -> None:
    (tmp_path / "schema.yaml").write_text("columns: {churned: {dtype: int64}}")
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump({"year": 2024, "schema": "schema.yaml", "columns": COLUMNS}))
    given = recipe_parameters(read_recipe(tmp_path / "recipe.yaml"))
    declared = dict.fromkeys(("min_child_weight", "minimum_roc_auc", "minimum_pr_auc"), "NUMBER_DOUBLE")
    found = typed(declared, {name: given[name] for name in declared}, ())
    assert {name: type(value) for name, value in found.items()} == dict.fromkeys(declared, float)


def test_a_whole_number_on_the_command_line_is_a_fraction_where_one_is_declared() -> None:
    found = typed({"subsample": "NUMBER_DOUBLE", "trees": "NUMBER_INTEGER"}, {}, ("subsample=1", "trees=5"))
    assert [(name, type(value)) for name, value in found.items()] == [("subsample", float), ("trees", int)]
