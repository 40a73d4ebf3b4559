"""How to train: the settings that a person gives, or that `tune` found and hands on as JSON."""

import json
import math
from dataclasses import dataclass, fields, replace
from typing import Any

from headgate_components.seeds import check_seed
from headgate_components.step import StepError


@dataclass(frozen=True)
class _Range:
    """Which numbers a setting may be."""

    least: float
    most: float
    open: bool = False
    """Whether `least` itself is too small."""

    def __str__(self) -> str:
        return f"{'above' if self.open else 'at least'} {self.least:g} and at most {self.most:g}"

    def __contains__(self, value: float) -> bool:
        return self.least < value <= self.most if self.open else self.least <= value <= self.most


_RANGES = {
    "trees": _Range(1, 10_000),
    "max_depth": _Range(1, 20),
    "learning_rate": _Range(0, 1, open=True),
    "subsample": _Range(0, 1, open=True),
    "colsample_bytree": _Range(0, 1, open=True),
    "min_child_weight": _Range(0, 1e9),
    "early_stopping_rounds": _Range(0, 10_000),
    "validation_share": _Range(0, 0.99, open=True),
    "threads": _Range(1, 1024),
}
"""XGBoost takes a learning rate of 2, and learns nonsense."""


@dataclass(frozen=True)
class Settings:
    """How to train; the names are XGBoost's where it has one. StepError if a number is out of its range."""

    trees: int = 200
    max_depth: int = 6
    learning_rate: float = 0.05
    subsample: float = 0.8
    colsample_bytree: float = 0.6
    min_child_weight: float = 10.0
    early_stopping_rounds: int = 30
    """Trees without improvement after which training stops; 0 trains all trees at once."""

    validation_share: float = 0.1
    """The newest share of the training rows, on which early stopping looks."""

    class_weight: str = "none"
    """`none`, `balanced`, or how much a row with label 1 weighs against one with label 0."""

    seed: int = 0
    threads: int = 1

    def __post_init__(self) -> None:
        check_seed(self.seed)
        for name, allowed in _RANGES.items():
            if (value := getattr(self, name)) not in allowed:
                raise StepError(f"the setting '{name}' is {value:g}; it must be {allowed}")


def overridden(settings: Settings, text: str) -> Settings:
    """The settings with those of a JSON object in their place; an empty text changes nothing.

    Raises:
        StepError: it is no JSON object, or names or holds something that is no setting.
    """
    if not text.strip():
        return settings
    try:
        given = json.loads(text)
    except ValueError as error:
        raise StepError(f"the settings are not JSON ({error}); give an object such as {{'max_depth': 6}} or what tune returned") from error
    if not isinstance(given, dict):
        raise StepError(f"the settings are {_shown(given)}; they must be a JSON object from names to values")
    kinds = {field.name: type(field.default) for field in fields(Settings)}
    return replace(settings, **{name: _typed(name, value, kinds) for name, value in given.items()})


def _typed(name: str, value: Any, kinds: dict[str, type]) -> Any:
    kind = kinds.get(name)
    if kind is None:
        raise StepError(f"the settings name '{name}', which is none; there are {', '.join(kinds)}")
    if kind is str and isinstance(value, str):
        return value
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if kind is str or not number or (kind is int and value != int(value)):
        words = {int: "a whole number", float: "a number", str: "a text"}[kind]
        raise StepError(f"the setting '{name}' is {_shown(value)}; it must be {words}")
    return kind(value)


def _shown(value: Any) -> str:
    return json.dumps(value)[:80]
