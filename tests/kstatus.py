"""What kstatus makes of a custom resource: Flux waits for it, and so do `kubectl` plug-ins.

The rules are those of https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md, in the order of `Compute` in
`pkg/kstatus/status`: deletion, generation, the conditions Reconciling and Stalled in the order of the list, then Ready. Without any of
them a resource counts as current.
"""

from typing import Any


def kstatus(obj: dict[str, Any]) -> str:
    """Return InProgress, Current, Failed or Terminating."""
    metadata, status = obj["metadata"], obj.get("status") or {}
    if metadata.get("deletionTimestamp"):
        return "Terminating"
    if "observedGeneration" in status and "generation" in metadata and status["observedGeneration"] != metadata["generation"]:
        return "InProgress"
    conditions = [(condition["type"], condition["status"]) for condition in status.get("conditions", ())]
    for condition in conditions:
        if condition == ("Reconciling", "True"):
            return "InProgress"
        if condition == ("Stalled", "True"):
            return "Failed"
    return "InProgress" if {("Ready", "False"), ("Ready", "Unknown")} & set(conditions) else "Current"
