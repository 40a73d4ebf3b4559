"""The Kubeflow Pipelines adapter of `given_settings`."""

from kfp import dsl

from headgate_components.image import BASE_IMAGE


@dsl.component(base_image=BASE_IMAGE, install_kfp_package=False)  # type: ignore[untyped-decorator]
def given_settings() -> str:
    """The other branch of tuning: no settings that would override those given.

    A pipeline joins both branches with dsl.OneOf, which takes outputs of steps only.

    Returns:
        Nothing, for the input `settings` of train_xgboost.
    """
    return ""
