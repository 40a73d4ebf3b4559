"""The exported model: its features, its folder, its requests. Shared by training and serving; knows no server."""

from headgate_serving.model.booster import digest, model_bytes
from headgate_serving.model.encoding import Columns
from headgate_serving.model.errors import FeatureError, ModelError, OutOfRangeError, RequestError, UnknownCategoryError
from headgate_serving.model.export import write_export
from headgate_serving.model.exported import ExportedModel
from headgate_serving.model.features import Feature, FeatureKind, FeatureSet, UnknownPolicy
from headgate_serving.model.fitting import fit_features
from headgate_serving.model.golden import make_golden
from headgate_serving.model.ranges import RangeGuard, RangePolicy
from headgate_serving.model.requests import columns_from_v1, columns_from_v2, to_v2_request
from headgate_serving.model.single import load_model

__all__ = [
    "Columns",
    "ExportedModel",
    "Feature",
    "FeatureError",
    "FeatureKind",
    "FeatureSet",
    "ModelError",
    "OutOfRangeError",
    "RangeGuard",
    "RangePolicy",
    "RequestError",
    "UnknownCategoryError",
    "UnknownPolicy",
    "columns_from_v1",
    "columns_from_v2",
    "digest",
    "fit_features",
    "load_model",
    "make_golden",
    "model_bytes",
    "to_v2_request",
    "write_export",
]
