"""The Kubeflow Pipelines adapter of `fit_drift_reference`."""

from kfp import dsl

from headgate_components.image import BASE_IMAGE


@dsl.component(base_image=BASE_IMAGE, install_kfp_package=False)  # type: ignore[untyped-decorator]
def fit_drift_reference(
    train: dsl.Input[dsl.Dataset],
    features: dsl.Input[dsl.Artifact],
    reference: dsl.Output[dsl.Artifact],
    time: str,
    excluded: list[str],
    window_rows: int = 500,
    window_hours: float = 0.0,
    detector: str = "tabular",
    expected_shift: float = 0.0,
    seed: int = 0,
    model: dsl.Input[dsl.Model] = None,
    evaluation: dsl.Input[dsl.Dataset] = None,
) -> None:
    """Fit the reference that drift is measured against: the training rows, and how much they varied among themselves.

    Rows of real traffic are not independent, so each feature's floor is calibrated on windows of the training rows in time order.

    Args:
        train: The training rows.
        features: The feature artifact; all its features are watched.
        reference: A folder with reference.npz and schema.json.
        time: The column with the time of each row.
        excluded: Features that never raise an alarm although the model uses them, such as seasonal ones.
        window_rows: Rows in each window that will be compared with the reference.
        window_hours: Hours after which a window ends even with fewer rows; 0 sets no limit.
        detector: Which test decides whether a window differs: tabular (Kolmogorov-Smirnov and chi-square, the fastest), ks, cvm, chi-square
            or classifier. Distances and floors are the same for all but the classifier, which judges all features together.
        expected_shift: How far the model's predictions are from its predecessor's on the same rows, 0 to 1; such a difference is expected.
        seed: Seed for sampling the rows that are kept.
        model: The trained booster, if its predictions are to be watched too.
        evaluation: The rows that the model was evaluated on; required with a model, because it is overconfident on its training rows.
    """
    from pathlib import Path

    from headgate_components.deployment.fit_drift_reference.logic import How, fit
    from headgate_components.step import step

    with step("fit_drift_reference"):
        fitted = fit(
            Path(train.path),
            Path(features.path),
            Path(reference.path),
            How(
                time=time,
                excluded=excluded,
                window_rows=window_rows,
                window_hours=window_hours,
                detector=detector,
                expected_shift=expected_shift,
                seed=seed,
            ),
            model=Path(model.path) if model else None,
            evaluation=Path(evaluation.path) if evaluation else None,
        )
    reference.metadata.update(
        rows=fitted.fitted_rows,
        predictions=fitted.predictions.fitted_rows if fitted.predictions else 0,
        window_rows=fitted.window_rows,
        calibrated=fitted.calibrated,
        detector=fitted.detector.value,
    )
