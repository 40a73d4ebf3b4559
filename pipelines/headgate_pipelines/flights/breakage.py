"""A way to break an exported model as it happens in practice, for demonstrations and tests of the parity check. Not for use.

XGBoost 3.1 and later write `base_score` in a form that earlier ones silently read as another number: every prediction shifts, nothing
fails, and metrics computed before the export know nothing of it. The golden set does.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xgboost as xgb

BROKEN_BASE_SCORE = 0.24
"""The share of late flights from January to May, where training had 0.5: log-odds move by 1.15, probabilities by up to .28."""

WRITTEN_BY_EXPORT = ("files", "modelDigest", "modelName", "version")


def break_base_score(export: Path, storage: Path) -> Path:
    """Writes a copy of an export whose model has another base_score than the one its golden set was made with.

    The copy is complete and consistent in itself: its file hashes are right, its folder has the name of its own content, and it loads
    and answers. Only its golden set tells.

    Args:
        export: a folder that `register_model` wrote.
        storage: the storage root; the copy goes to `<storage>/<model name>/<version>-<hash>`, beside the original if it is the same root.

    Returns:
        The folder of the broken copy.

    Raises:
        ModelError: the export cannot be read, or the copy cannot be written.
    """
    # Here and below: whoever replays flights does not wait for XGBoost to load.
    from headgate_serving.model import ExportedModel, write_export
    from headgate_serving.model.layout import DRIFT, GOLDEN

    model = ExportedModel.load(export)
    return write_export(
        storage,
        model_name=model.metadata["modelName"],
        version=model.metadata["version"],
        booster=_with_base_score(model.booster, BROKEN_BASE_SCORE),
        features=model.features,
        metadata={key: value for key, value in model.metadata.items() if key not in WRITTEN_BY_EXPORT},
        golden=json.loads((export / GOLDEN).read_text(encoding="utf-8")),
        drift_folder=export / DRIFT if (export / DRIFT).is_dir() else None,
    )


def _with_base_score(booster: "xgb.Booster", base_score: float) -> bytes:
    import xgboost as xgb

    from headgate_serving.model import model_bytes

    # Through the JSON form of the model: setting the parameter on a loaded booster changes nothing that is saved.
    content: dict[str, Any] = json.loads(booster.save_raw("json"))
    content["learner"]["learner_model_param"]["base_score"] = f"[{base_score:E}]"
    return model_bytes(xgb.Booster(model_file=bytearray(json.dumps(content).encode())))
