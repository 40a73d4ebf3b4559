"""Does a model answer here as it did where it was trained? Another version of XGBoost may read the same file as another model."""

from dataclasses import dataclass

import numpy as np
import xgboost as xgb

from headgate_serving.model.errors import FeatureError, ModelError, RequestError
from headgate_serving.model.exported import ExportedModel
from headgate_serving.model.requests import columns_from_v2

ABSOLUTE, RELATIVE = 1e-5, 1e-4
"""|answer - golden| <= ABSOLUTE + RELATIVE * |golden|, as in the parity check of a rollout."""


@dataclass(frozen=True)
class Difference:
    """The golden row that differs most."""

    row: int
    golden: float
    answer: float
    differing: int
    rows: int
    trained_with: str

    def __str__(self) -> str:
        """One sentence with the numbers."""
        return (
            f"the model predicts otherwise than where it was trained: {self.answer:.6g} instead of {self.golden:.6g} for golden row "
            f"{self.row}, {self.differing} of {self.rows} rows differ; it was trained with xgboost {self.trained_with} and is read by "
            f"{xgb.__version__}"
        )


def difference(model: ExportedModel) -> Difference | None:
    """How the model's answers to its golden set differ; None if they do not, or if it has none.

    Raises:
        ModelError: the golden set does not belong to the model.
    """
    if model.golden is None:
        return None
    try:
        golden = np.array(model.golden["outputs"][model.output], dtype=np.float64)
        answers = model.predict(columns_from_v2(model.golden["request"], model.features))
    except (KeyError, TypeError, ValueError, FeatureError, RequestError) as error:
        raise ModelError(f"the golden set in {model.folder} does not fit the model: {error}") from error
    if golden.shape != answers.shape:
        raise ModelError(
            f"the golden set in {model.folder} has {golden.shape[0]} answers for {answers.shape[0]} rows; export the model again"
        )
    excess = np.abs(answers - golden) - (ABSOLUTE + RELATIVE * np.abs(golden))
    if excess.max() <= 0:
        return None
    worst = int(excess.argmax())
    versions = model.golden.get("versions") or {}
    trained_with = str(versions.get("xgboost", versions.get("xgboost-cpu", "an unknown version")))
    return Difference(worst, float(golden[worst]), float(answers[worst]), int((excess > 0).sum()), len(golden), trained_with)
