"""How many trees: early stopping on the newest of the training rows, so that the evaluation period is never looked at."""

import xgboost as xgb

from headgate_components.training import balance, boosting
from headgate_components.training.balance import Calibration
from headgate_components.training.boosting import Rows
from headgate_components.training.settings import Settings


def number_of_trees(rows: Rows, settings: Settings, weight: float) -> tuple[int, Calibration | None]:
    """The best number of trees, and how the newest rows are predicted by so many; without early stopping the number asked for, and None.

    Raises:
        StepError: settings that XGBoost does not take, or no share of the rows to stop on.
    """
    if settings.early_stopping_rounds == 0:
        return settings.trees, None
    older = int(len(rows.labels) * (1 - settings.validation_share))
    learnt, newest = (
        boosting.matrix_of(rows.matrix[part], rows.labels[part], weight, settings.threads) for part in (slice(older), slice(older, None))
    )
    with boosting.training_errors():
        booster = xgb.train(
            boosting.parameters(settings),
            learnt,
            settings.trees,
            evals=[(newest, "newest")],
            early_stopping_rounds=settings.early_stopping_rounds,
            verbose_eval=False,
        )
        trees = booster.best_iteration + 1
        margins = booster.predict(newest, output_margin=True, iteration_range=(0, trees))
    return trees, balance.calibration(margins, rows.labels[older:], weight)
