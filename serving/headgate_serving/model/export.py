"""Write an exported model: once, whole or not at all, under a name that changes with its content.

A changed file under an old path would keep the old revision id in the cluster, so a folder is never written twice.
"""

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import xgboost as xgb

from headgate_serving.model import layout
from headgate_serving.model.booster import digest, model_bytes, read_booster
from headgate_serving.model.errors import ModelError
from headgate_serving.model.features import FeatureSet


def write_export(
    storage: Path,
    *,
    model_name: str,
    version: str,
    booster: xgb.Booster | bytes,
    features: FeatureSet,
    metadata: Mapping[str, Any],
    golden: Mapping[str, Any],
    drift_folder: Path | None = None,
) -> Path:
    """The absolute path of `<storage>/<model_name>/<version>-<12 hex>`, written unless it is there already.

    Args:
        storage: The root that KServe pulls from.
        model_name: The name in the request path.
        version: The registry's version.
        booster: The model or the bytes of `model.ubj`, without feature names inside.
        features: The feature artifact.
        metadata: What else to record (versions, training period, metrics); the names and digests are added.
        golden: What `make_golden` returned.
        drift_folder: A written drift reference, copied in.

    Raises:
        ModelError: the model and its features do not belong together, or the folder cannot be written.
    """
    content = booster if isinstance(booster, bytes) else model_bytes(booster)
    check_booster(read_booster(content), features)
    files = {layout.MODEL: content, layout.FEATURES: _json(features.to_json()), layout.GOLDEN: _json(golden)}
    try:
        files |= _drift_files(drift_folder)
        files[layout.METADATA] = _json(_metadata(metadata, model_name, version, files))
        name = f"{version}-{digest(files[layout.METADATA]).removeprefix('sha256:')[:12]}"
        return _write_once(storage.absolute() / model_name / name, files)
    except OSError as error:
        raise ModelError(f"cannot write the exported model to {storage}: {error.strerror} ({error.filename})") from error


def check_booster(booster: xgb.Booster, features: FeatureSet) -> None:
    """Refuse a model that does not fit its features.

    Raises:
        ModelError: feature names inside (XGBoost then refuses plain arrays), or another number of features.
    """
    if booster.feature_names is not None:
        raise ModelError(
            "the model carries feature names, which plain-array requests cannot match; train on arrays, names live in features.json"
        )
    if booster.num_features() != len(features.names):
        raise ModelError(f"the model reads {booster.num_features()} features, the feature artifact names {len(features.names)}")


def _metadata(metadata: Mapping[str, Any], model_name: str, version: str, files: Mapping[str, bytes]) -> dict[str, Any]:
    hashes = {path: digest(content).removeprefix("sha256:") for path, content in sorted(files.items())}
    return {
        **metadata,
        "modelName": model_name,
        "version": version,
        "modelDigest": digest(files[layout.MODEL]),
        "files": hashes,
    }


def _drift_files(folder: Path | None) -> dict[str, bytes]:
    if folder is None:
        return {}
    return {f"{layout.DRIFT}/{path.name}": path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def _write_once(target: Path, files: Mapping[str, bytes]) -> Path:
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        for path, content in files.items():
            (temporary / path).parent.mkdir(parents=True, exist_ok=True)
            (temporary / path).write_bytes(content)
        temporary.chmod(0o755)  # mkdtemp makes it private, but the server runs as another user
        try:
            temporary.rename(target)
        except OSError:
            if not target.is_dir():  # else another process wrote the same content first
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return target


def _json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, indent=1, sort_keys=True, allow_nan=False).encode()
