"""How kopf is told to be an event source and nothing more: every setting that differs from its default, with the reason."""

import kopf

from headgate_operator.api.names import GROUP
from headgate_operator.controller.resources import MODEL_DEPLOYMENTS
from headgate_operator.controller.shard import Shard


def kopf_settings(shard: Shard) -> kopf.OperatorSettings:
    """Return kopf's settings; each one that differs from its default has a reason in the comments."""
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False  # our own Events, deduplicated
    settings.peering.standalone = True  # else a foreign peering object named `default` pauses us
    settings.scanning.disabled = True  # else rights on namespaces and CRDs, and a minute of errors without them
    settings.watching.chunk_size = 200  # bounds memory when thousands of objects are listed
    settings.watching.server_timeout = 600
    settings.watching.client_timeout = 610
    settings.watching.connect_timeout = 30
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 10
    settings.queueing.idle_timeout = 0.5  # a task per object that had an event, so let it go soon
    settings.queueing.exit_timeout = 0.5
    settings.process.ultimate_exiting_timeout = 25  # the last resort, below terminationGracePeriodSeconds
    settings.persistence.finalizer = f"{GROUP}/kopf"  # never used with event handlers only, but named after us should that change
    settings.persistence.progress_storage = NoProgress()
    settings.persistence.diffbase_storage = NoDiffs()
    if shard.selector:
        objects = MODEL_DEPLOYMENTS
        settings.watching.label_selectors[objects.group, objects.version, objects.plural] = shard.selector
    return settings


class NoDiffs(kopf.AnnotationsDiffBaseStorage):
    """The storage of what handlers of changes last saw. We have no such handlers, but kopf would copy every event's object for them."""

    def __init__(self) -> None:
        super().__init__(prefix=GROUP)

    def build(self, **_: object) -> kopf.BodyEssence:
        """Return what is worth comparing of an object: nothing."""
        return kopf.BodyEssence()


class NoProgress(kopf.AnnotationsProgressStorage):
    """The storage of how far such handlers have come. Kopf would copy every object once more, to leave that out of the comparison."""

    def __init__(self) -> None:
        super().__init__(prefix=GROUP)

    def clear(self, *, essence: kopf.BodyEssence) -> kopf.BodyEssence:
        """Return the essence as it is."""
        return essence
