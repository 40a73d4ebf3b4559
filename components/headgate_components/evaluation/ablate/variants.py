"""Which models to train: the whole one, baselines, and the whole one without (or with only) some features."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headgate_components.step import StepError

MOST_SINGLE = 40
"""Features looked at one by one; the most important first."""


@dataclass(frozen=True)
class Variant:
    """A model to compare with the whole one; `kind` is full, baseline, without or only."""

    kind: str
    name: str
    features: tuple[str, ...]


@dataclass(frozen=True)
class Line:
    """How a variant does on the evaluation rows."""

    kind: str
    name: str
    features: int
    roc_auc: float
    pr_auc: float
    log_loss: float
    more_loss: float
    """Log loss beyond that of the whole model, paired row by row; above 0 the whole model is better."""

    margin: float
    """Half the width of the 95 % interval of `more_loss`, as if rows were independent."""

    def to_json(self) -> dict[str, Any]:
        """One entry of the table."""
        return {
            "kind": self.kind,
            "name": self.name,
            "features": self.features,
            "rocAuc": self.roc_auc,
            "prAuc": self.pr_auc,
            "logLoss": self.log_loss,
            "moreLoss": self.more_loss,
            "margin": self.margin,
        }


def feature_groups(text: str, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The groups of a JSON object from a name to features; none for an empty text.

    Raises:
        StepError: it is something else, or names what is no feature.
    """
    if not text.strip():
        return {}
    try:
        found = json.loads(text)
    except ValueError as error:
        raise StepError(f"the groups are not JSON ({error}); give an object from a name to a list of features") from error
    if not isinstance(found, dict) or not all(isinstance(members, list) and members for members in found.values()):
        raise StepError("the groups must be a JSON object from a name to a list of features, none of them empty")
    unknown = sorted({str(member) for members in found.values() for member in members} - set(names))
    if unknown:
        raise StepError(f"the groups name {', '.join(unknown)}, which are no features; there are {', '.join(names)}")
    return {name: tuple(feature for feature in names if feature in members) for name, members in found.items()}


def group_variants(groups: Mapping[str, Sequence[str]], names: Sequence[str]) -> Iterator[Variant]:
    """For each group the model without it and the model of it alone."""
    for name, members in groups.items():
        rest = tuple(feature for feature in names if feature not in members)
        if rest:
            yield Variant("without", name, rest)
        yield Variant("only", name, tuple(members))


def without_each(ranked: Sequence[str], names: Sequence[str]) -> Iterator[Variant]:
    """The model without each feature, in that order; nothing if there is one feature only."""
    for name in ranked[:MOST_SINGLE] if len(names) > 1 else ():
        yield Variant("without", name, tuple(feature for feature in names if feature != name))
