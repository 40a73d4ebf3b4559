"""What is broken, in a sentence."""

from collections.abc import Mapping
from typing import Any

Body = Mapping[str, Any]


def sentence(kind: str, what: Body) -> str:
    """Say what a disturbance does; `what` is its JSON form."""
    where = what.get("resource") or "all resources"
    match kind:
        case "Fault":
            return _fault(what)
        case "CutWatches":
            return f"the watches of {where} were cut"
        case "BlindWatches":
            return f"the watches of {where} see nothing, then 410"
        case "CrashPod":
            return f"the server of {what['name']} was killed"
        case "FreezeGateway":
            return "the gateway is frozen"
        case "RestartGateway":
            return "the gateway restarts"
        case "PauseOperator":
            return "the operator is paused"
        case _:
            return "the operator was killed"


def active_sentence(item: Body) -> str:
    """Say what is broken now, as the control endpoint lists it: how often it struck and how long it lasts."""
    left = f", {item['secondsLeft']:.0f} s left" if item["secondsLeft"] is not None else ""
    struck = f", struck {item['struck']} of {item['seen']} requests" if item["kind"] == "Fault" else ""
    return f"{item['id']}: {sentence(item['kind'], item['what'])}{struck}{left}"


def _fault(what: Body) -> str:
    verbs = "/".join(sorted(what["verbs"])) or "every request"
    resources = ", ".join(sorted(what["resources"])) or "all resources"
    effects = {"latency": f"is answered {what.get('delay')} s late", "drop": "gets no answer", "crash": "kills the operator"}
    effect = effects.get(what["effect"], f"is answered {what.get('code')}")
    share = f" with probability {what['probability']:g}" if what["probability"] < 1 else ""
    return f"{verbs} on {resources} {effect}{share}{' after it was carried out' if what['moment'] == 'after' else ''}"
