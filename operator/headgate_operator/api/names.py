"""Names that others build on: the API group, labels, annotations and headers. Changing one is a breaking change."""

GROUP = "headgate.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
KIND = "ModelDeployment"
PLURAL = "modeldeployments"
SINGULAR = "modeldeployment"
SHORT_NAME = "mdep"
CATEGORY = "kserve"

FIELD_MANAGER = "headgate"
"""The field manager of everything the operator writes; nobody else may use it."""

OWNER_LABEL = f"{GROUP}/model-deployment"
"""On every child: the name of the ModelDeployment that owns it. Watches select by it, so foreign objects never arrive."""

STABLE_ANNOTATION = f"{GROUP}/stable"
"""On the HTTPRoute: the id of the stable revision, so that a lost status cannot reopen the first-revision path."""

REJECTED_ANNOTATION = f"{GROUP}/rejected"
"""On the HTTPRoute: comma-separated ids of refused revisions, newest first, for the same reason."""

MIRROR_ANNOTATION = f"{GROUP}/mirror"
"""On the HTTPRoute: the id of the revision that gets copies of the requests. Backends say whose they are in a header; a mirror cannot."""

REVISION_ANNOTATION = f"{GROUP}/revision"
"""On the InferenceService of Knative mode, whose pods inherit it: the id of the revision it was rendered for. Knative names its revisions
itself, so this tells which of them is ours."""

COMMAND_ANNOTATION = f"{GROUP}/command"
"""On the ModelDeployment: one command for one revision, such as `abort@r3f9a1c02`. Verbs: promote, promote-full, pause, resume, abort,
retry, and rollback for the stable revision."""

REVISION_HEADER = "x-headgate-revision"
"""On every request to and every answer from a version: which revision served it."""

PARITY_HEADER = "x-headgate-parity"
"""On the operator's own parity requests, so that payload collectors can drop them."""

MAX_NAME_LENGTH = 40
"""Longest name of a ModelDeployment: child names add a 9-character suffix and must stay below Kubernetes' label limits."""
