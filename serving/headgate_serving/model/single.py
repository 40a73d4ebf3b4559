"""A folder with nothing but an XGBoost file, as KServe's own server takes it: what can be known without a feature artifact."""

from pathlib import Path

from headgate_serving.model.booster import digest, read_booster
from headgate_serving.model.errors import ModelError
from headgate_serving.model.exported import ExportedModel
from headgate_serving.model.features import Feature, FeatureKind, FeatureSet
from headgate_serving.model.layout import METADATA

SUFFIXES = (".ubj", ".json")
OUTPUT = "output-0"
"""What KServe's own XGBoost server calls its answer."""


def load_model(folder: Path) -> ExportedModel:
    """The model in a folder: an export of training, or else its one XGBoost file.

    Raises:
        ModelError: the folder has neither, or it is incomplete or changed.
    """
    found = [] if (folder / METADATA).exists() else _model_files(folder)
    if not found:
        return ExportedModel.load(folder)
    if len(found) > 1:
        raise ModelError(f"{folder} has several models, {', '.join(path.name for path in found)}; exactly one can be served")
    return load_file(found[0])


def load_file(path: Path) -> ExportedModel:
    """The model in an XGBoost file. Its features are numbers, named as the file names them, else f0, f1, … in order.

    Raises:
        ModelError: it cannot be read.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"the model {path} cannot be read: {error.strerror}") from error
    booster = read_booster(content)
    names = booster.feature_names or [f"f{number}" for number in range(booster.num_features())]
    booster.feature_names = None  # else XGBoost refuses plain arrays
    features = FeatureSet(tuple(Feature(name, FeatureKind.NUMBER) for name in names))
    metadata = {"version": digest(content).removeprefix("sha256:")[:12]}
    return ExportedModel(path.parent, features, booster, metadata, output=OUTPUT)


def _model_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*") if path.suffix in SUFFIXES and path.is_file())
