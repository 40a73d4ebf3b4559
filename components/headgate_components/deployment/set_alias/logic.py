"""Points an alias of the registry at a version; whoever follows the alias does the rest."""

from mlflow import MlflowClient

from headgate_components.registered import find_version, registry_errors, require_version


def set_alias(tracking_uri: str, model_name: str, version: str, alias: str) -> str:
    """Sets the alias, and says in a sentence what it named before.

    Raises:
        StepError: the registry refuses, or there is no such version.
    """
    require_version(tracking_uri, model_name, version)
    before = find_version(tracking_uri, model_name, alias)
    if before is not None and before.version == version:
        return f"the alias {alias} of {model_name} named version {version} already"
    with registry_errors(tracking_uri):
        MlflowClient(tracking_uri).set_registered_model_alias(model_name, alias, version)
    return f"the alias {alias} of {model_name} names version {version} now; before it named {before.version if before else 'none'}"
