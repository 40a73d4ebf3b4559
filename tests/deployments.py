"""A registered version and the deployment it goes to, for tests of what hands it on."""

import json
from typing import Any

from headgate_components.deployment.deploy_model.manifest import Target, Version, documents

GOLDEN = json.dumps({"request": {"inputs": []}, "outputs": {"probability": [0.25]}}, indent=1)
TARGET = Target("flight-delay", "ml")


def version(number: int = 7) -> Version:
    return Version("flight-delay", str(number), f"file:///models/flight-delay/{number}-abc", GOLDEN)


def only(text: str, kind: str) -> dict[str, Any]:
    (found,) = [document for document in documents(text) if document["kind"] == kind]
    return found
