"""Recipe files: read whole, and refused with the key that is wrong."""

from pathlib import Path
from typing import get_args

import pytest
import yaml

import headgate_pipelines.flights as flights_package
from headgate_monitor.detectors import Detector
from headgate_pipelines import flights
from headgate_pipelines.recipe import Drift, RecipeError, read_recipe

FLIGHTS_RECIPE = Path(flights_package.__file__).parent / "recipe.yaml"


def written(folder: Path, **changes: object) -> Path:
    content = yaml.safe_load(FLIGHTS_RECIPE.read_text()) | changes
    (folder / "schema.yaml").write_text("columns: {late: {dtype: float64}}")
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump({key: value for key, value in content.items() if value is not None}))
    return path


def test_the_flights_recipe_names_the_tables_own_columns() -> None:
    recipe = read_recipe(FLIGHTS_RECIPE)
    assert (*recipe.columns.categories, *recipe.columns.numbers) == flights.FEATURES
    assert (recipe.columns.time, recipe.columns.label, recipe.columns.id) == (flights.TIME, flights.LABEL, flights.ID)
    assert set(recipe.drift.excluded) <= set(flights.NUMBERS)
    assert set(yaml.safe_load(recipe.schema_text)["columns"]) == {flights.ID, flights.TIME, flights.LABEL, *flights.FEATURES}


def test_the_schema_is_read_from_the_file_beside_the_recipe(tmp_path: Path) -> None:
    assert read_recipe(written(tmp_path)).schema_text == "columns: {late: {dtype: float64}}"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"colour": "blue"}, "has an invalid 'colour': Extra inputs are not permitted"),
        ({"model": {"maxDepth": 99}}, r"has an invalid 'model\.maxDepth': Input should be less than or equal to 20"),
        ({"columns": {"time": "at"}}, r"has an invalid 'columns\.label': Field required"),
        ({"timeZone": "Mars/Base"}, "'Mars/Base' is not a time zone"),
        ({"schema": "elsewhere.yaml"}, r"elsewhere\.yaml' cannot be read: No such file"),
        ({"schema": None}, "has an invalid 'schema': Field required"),
    ],
)
def test_a_wrong_recipe_is_refused_with_file_and_key(tmp_path: Path, changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(RecipeError, match=sentence):
        read_recipe(written(tmp_path, **changes))


@pytest.mark.parametrize(("text", "sentence"), [("a: [", "is not valid YAML"), ("- a", "must be a mapping"), ("", "must be a mapping")])
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "recipe.yaml").write_text(text)
    with pytest.raises(RecipeError, match=sentence):
        read_recipe(tmp_path / "recipe.yaml")


def test_the_examples_files_are_the_packaged_ones() -> None:
    example = Path(__file__).parents[3] / "examples" / "flights"
    for name in ("recipe.yaml", "schema.yaml"):
        assert (example / name).read_text() == (FLIGHTS_RECIPE.parent / name).read_text()


def test_a_recipe_may_choose_among_the_detectors_there_are() -> None:
    assert get_args(Drift.model_fields["detector"].annotation) == tuple(Detector)
