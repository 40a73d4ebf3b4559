"""What can go wrong with a model, its features or a request; every message is one sentence for a person."""


class FeatureError(ValueError):
    """Values or a feature definition that cannot be encoded."""


class UnknownCategoryError(FeatureError):
    """A category the model was not trained on, met by a feature set that must not guess."""


class ModelError(ValueError):
    """An exported model that is incomplete, changed after its export, or cannot be written."""


class RequestError(ValueError):
    """A prediction request that does not fit the model; the client has to change it."""
