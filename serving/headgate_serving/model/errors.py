"""What can go wrong with a model, its features or a request; every message is one sentence for a person."""

_LONGEST_SHOWN = 80


def shown(value: object) -> str:
    """A client's value in a sentence, bounded."""
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


class FeatureError(ValueError):
    """Values or a feature definition that cannot be encoded."""


class UnknownCategoryError(FeatureError):
    """A category the model was not trained on, met by a feature set that must not guess."""


class OutOfRangeError(FeatureError):
    """A number outside of the training data, met by a guard that refuses; `counts` has how many of which feature."""

    def __init__(self, sentence: str, counts: dict[str, int]) -> None:
        super().__init__(sentence)
        self.counts = counts


class ModelError(ValueError):
    """An exported model that is incomplete, changed after its export, or cannot be written."""


class RequestError(ValueError):
    """A prediction request that does not fit the model; the client has to change it."""
