"""The broken base_score: consistent in itself, caught by the golden set alone."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from headgate_pipelines.flights import break_base_score
from headgate_serving.model import ExportedModel, columns_from_v2


def answers(folder: Path) -> Any:
    model = ExportedModel.load(folder)
    golden = json.loads((folder / "headgate" / "golden.json").read_text())
    return model.predict(columns_from_v2(golden["request"], model.features)), np.array(golden["outputs"]["probability"])


def test_the_broken_copy_is_valid_but_answers_otherwise_than_its_golden_set(small_export: Path, tmp_path: Path) -> None:
    broken = break_base_score(small_export, tmp_path)
    assert broken.parent == tmp_path / "flight-delay"
    assert broken.name != small_export.name
    assert broken.name.startswith("1-")
    found, promised = answers(broken)
    assert 0.1 < np.abs(found - promised).max() < 0.3
    whole, promised = answers(small_export)
    assert np.abs(whole - promised).max() == 0


def test_only_the_model_differs_from_the_original(small_export: Path, tmp_path: Path) -> None:
    broken = break_base_score(small_export, tmp_path)
    for path in ("headgate/golden.json", "headgate/features.json"):
        assert (broken / path).read_bytes() == (small_export / path).read_bytes()
    assert (broken / "model.ubj").read_bytes() != (small_export / "model.ubj").read_bytes()


def test_breaking_twice_gives_the_same_folder(small_export: Path, tmp_path: Path) -> None:
    assert break_base_score(small_export, tmp_path) == break_base_score(small_export, tmp_path)
