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
    """Fit what drift is measured against: the training rows, and how far they wandered by themselves.

    Real traffic is not independent, so each feature's floor is calibrated on windows of the training rows in their order of time.

    Args:
        train: The training rows.
        features: The feature artifact; its features are watched.
        reference: A folder with reference.npz and schema.json.
        time: The column with the moment of each row.
        excluded: Features that never alarm while the model goes on using them, such as seasonal ones.
        window_rows: The length of the windows that will be compared with the reference.
        window_hours: Or their duration, whichever is reached first; 0 leaves it to the rows.
        detector: Which test decides whether a window differs: tabular (Kolmogorov-Smirnov and chi-square, the fastest), ks, cvm, chi-square
            or classifier. Distances and floors are the same for all but the classifier, which judges all features together.
        expected_shift: How far the model's predictions are from its predecessor's on the same rows (0 to 1); it may differ so much.
        seed: Seed of the sample of rows that is kept.
        model: The trained booster, if its predictions are to be watched, too.
        evaluation: The rows it was evaluated on, which come with the model: for its training rows it is too sure of itself.
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
