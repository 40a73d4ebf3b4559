"""Writing in Knative mode: one InferenceService, template and percentage in one write, so that neither is ever without the other."""

from headgate_operator.api.names import FIELD_MANAGER
from headgate_operator.controller.knative_look import service_name
from headgate_operator.controller.observe import Snapshot
from headgate_operator.controller.resources import INFERENCE_SERVICES, SERVING_RUNTIMES
from headgate_operator.controller.writes import ChildRefusedError, Writes, put_back, refusal, without
from headgate_operator.kserve.children import PERCENT, Scaling, gave_up_scaling, serving_runtime
from headgate_operator.kserve.edits import editor
from headgate_operator.kserve.knative_write import Wish, knative_service, live_scaling, next_step, percent_only
from headgate_operator.kserve.subset import is_subset
from headgate_operator.kube.protocol import ApiError, Object
from headgate_operator.rollout.decision import Decision, Note, WantedService
from headgate_operator.rollout.turn import rejected_ids


async def write_knative(writes: Writes, snapshot: Snapshot, decision: Decision, notes: list[Note]) -> bool:
    """Carry a decision one write further; the next pass reads back what Knative made of it. Returns whether anything was written."""
    status = decision.status
    if status.stable is None and status.candidate is None:
        return await _withdraw_refused(writes, snapshot, decision)
    wish, state = _wish(decision), snapshot.knative
    live = snapshot.children.services.get(service_name(snapshot.observed.subject))
    step = next_step(state, wish)
    wanted = next((service for service in decision.services if service.revision == step.template), None)
    if wanted is not None:
        try:
            wrote = await _apply(writes, snapshot, wanted, step.percent, wish, notes)
        except ApiError as error:
            if (note := refusal(error, service_name(snapshot.observed.subject), wanted.revision)) is None:
                raise
            notes.append(note)
            raise ChildRefusedError(error, {wanted.revision: note.message}) from error
    elif state is not None and live is not None:
        percent = step.percent if step.template is None else percent_only(state, wish).percent
        wrote = await writes.change_spec(snapshot, INFERENCE_SERVICES, live, {"predictor": {PERCENT: percent}})
    else:
        wrote = False
    return await _delete_unused_runtimes(writes, snapshot, wanted, live) or wrote


def _wish(decision: Decision) -> Wish:
    status, slots = decision.status, decision.route.slots if decision.route is not None else ()
    return Wish(
        stable=status.stable.id if status.stable is not None else None,
        candidate=status.candidate.id if status.candidate is not None else None,
        weights={slot.revision: slot.weight for slot in slots if slot.weight},
    )


async def _apply(writes: Writes, snapshot: Snapshot, wanted: WantedService, percent: int, wish: Wish, notes: list[Note]) -> bool:
    """Write the runtime copy, then the InferenceService that names it."""
    name = service_name(snapshot.observed.subject)
    live = snapshot.children.services.get(name)
    scaling = _scaling(snapshot, wanted, live, wish)
    service = knative_service(wanted.rendered, owner=snapshot.owner, scaling=scaling, percent=percent)
    if what := _was_touched(snapshot, wanted, service, live):
        notes.append(put_back("InferenceService", name, what, revision=wanted.revision))
    runtime = serving_runtime(wanted.rendered, owner=snapshot.owner)
    wrote = await writes.apply(snapshot, SERVING_RUNTIMES, runtime, snapshot.children.runtimes.get(wanted.isvc))
    dropped = live is not None and gave_up_scaling(live, service, manager=FIELD_MANAGER)
    return await writes.apply(snapshot, INFERENCE_SERVICES, service, live, differs=dropped) or wrote


def _was_touched(snapshot: Snapshot, wanted: WantedService, service: Object, live: Object | None) -> str:
    """Say what somebody else did; empty if nothing. Another template, and another percentage while there is one, are our own doing."""
    state = snapshot.knative
    if live is None or state is None:
        return "deleted by somebody else" if snapshot.observed.status.stable is not None else ""
    if state.template != wanted.revision or (is_subset(without(service, PERCENT), live) and state.percent is not None):
        return ""
    return f"edited by {editor(service, live, manager=FIELD_MANAGER) or 'somebody else'}"


def _scaling(snapshot: Snapshot, wanted: WantedService, live: Object | None, wish: Wish) -> Scaling:
    """Return the replica bounds: the manifest's with a new template, or for a version that has everything; else those it has.

    They are on Knative's pod template, so other ones make another revision: never while two are compared.
    """
    state, spec = snapshot.knative, snapshot.observed.spec
    same = state is not None and state.template == wanted.revision
    if live is not None and same and (wish.candidate is not None or wish.weights != {wanted.revision: 100}):
        return live_scaling(live)
    return Scaling(
        min_replicas=spec.min_replicas, max_replicas=spec.max_replicas, metric=wanted.scale_metric, target=wanted.scale_target
    )  # fmt: skip


async def _withdraw_refused(writes: Writes, snapshot: Snapshot, decision: Decision) -> bool:
    """Delete an InferenceService whose one revision was refused: Knative gives a first revision everything, whatever is asked for."""
    live, state = snapshot.children.services.get(service_name(snapshot.observed.subject)), snapshot.knative
    if state is None or state.template not in rejected_ids(decision.status):
        return False
    return await writes.delete(snapshot, INFERENCE_SERVICES, live)


async def _delete_unused_runtimes(writes: Writes, snapshot: Snapshot, wanted: WantedService | None, live: Object | None) -> bool:
    """Delete runtime copies that no template names. While the live one names it, KServe could not follow anything without it."""
    used = {wanted.isvc} if wanted is not None else set()
    if live is not None:
        used.add(live["spec"].get("predictor", {}).get("model", {}).get("runtime", ""))
    wrote = False
    for name in sorted(set(snapshot.children.runtimes) - used):
        wrote |= await writes.delete(snapshot, SERVING_RUNTIMES, snapshot.children.runtimes[name])
    return wrote
