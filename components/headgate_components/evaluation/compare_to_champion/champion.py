"""Finds the model that serves now: the version the alias names, in the folder it was exported to."""

from dataclasses import dataclass

from headgate_components.models import model_errors
from headgate_components.registered import find_version
from headgate_serving.model import ExportedModel


@dataclass(frozen=True)
class Champion:
    """A registered version and what it was exported as."""

    version: str
    model: ExportedModel


def find_champion(tracking_uri: str, model_name: str, alias: str) -> Champion | None:
    """The version the alias names; None if there is no such model or alias yet.

    Raises:
        StepError: the registry cannot be read, or the version's export cannot.
    """
    found = find_version(tracking_uri, model_name, alias)
    if found is None:
        return None
    with model_errors():
        return Champion(found.version, ExportedModel.load(found.folder))
