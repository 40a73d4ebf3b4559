"""The Kubeflow Pipelines adapter of `set_alias`."""

from kfp import dsl

from headgate_components.image import BASE_IMAGE


@dsl.component(base_image=BASE_IMAGE, install_kfp_package=False)  # type: ignore[untyped-decorator]
def set_alias(model_name: str, version: str, tracking_uri: str, alias: str = "candidate") -> str:
    """Point an alias of the model registry at a version; an operator that follows the alias then rolls that version out.

    Never cache this step: its inputs do not show whether the alias has moved since.

    Args:
        model_name: The name in the registry.
        version: The version's number.
        tracking_uri: The MLflow server, or sqlite:///<path>.
        alias: The alias to set.

    Returns:
        What the alias pointed at before and what it points at now, in one sentence.
    """
    from headgate_components.deployment.set_alias.logic import set_alias as run
    from headgate_components.step import step

    with step("set_alias"):
        return run(tracking_uri, model_name, version, alias)
