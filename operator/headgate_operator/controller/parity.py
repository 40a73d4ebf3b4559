"""One parity check: the golden set of the manifest, the candidate's answers to it, and where they differ."""

from headgate_operator.api.reasons import Reason
from headgate_operator.api.spec import ModelDeploymentSpec, Protocol
from headgate_operator.api.status import Candidate
from headgate_operator.controller.golden import Golden, GoldenError, GoldenQuestion, inference_path, read_golden, request_body
from headgate_operator.controller.resources import CONFIG_MAPS
from headgate_operator.kube.protocol import KubeApi
from headgate_operator.rollout.observed import ParityAnswer, Subject
from headgate_operator.rollout.parity import difference


async def check(
    api: KubeApi, question: GoldenQuestion, *, subject: Subject, spec: ModelDeploymentSpec, candidate: Candidate, address: str, ask: bool
) -> ParityAnswer:
    """Ask the candidate at its `address` the golden inputs, or only read them.

    Never raises for what the candidate or its golden set does wrong.
    """
    assert spec.parity.golden is not None
    name = spec.parity.golden.config_map
    sha256: str | None = None
    try:
        golden = read_golden(await api.get(CONFIG_MAPS, subject.namespace, name), name)
        sha256 = golden.sha256
        if candidate.golden not in (None, sha256):
            raise GoldenError(Reason.GOLDEN_MISSING, _changed(name, candidate.id))
        if not ask:
            return ParityAnswer(revision=candidate.id, golden=sha256, asked=False)
        mismatch = await _compare(question, golden, subject=subject, spec=spec, candidate=candidate, address=address)
    except GoldenError as error:
        return ParityAnswer(revision=candidate.id, golden=sha256, asked=ask, unavailable=(error.reason, str(error)))
    return ParityAnswer(revision=candidate.id, golden=sha256, mismatch=mismatch)


def _changed(name: str, revision: str) -> str:
    return f"ConfigMap {name} changed since {revision} was started; put the old one back, or abort@ and retry@ {revision} to take this one"


async def _compare(
    question: GoldenQuestion, golden: Golden, *, subject: Subject, spec: ModelDeploymentSpec, candidate: Candidate, address: str
) -> str | None:
    # From what was pinned: the manifest may already speak of another revision.
    model = candidate.inputs.get("model", {})
    protocol = Protocol(model.get("protocol") or Protocol.V2)
    path = inference_path(protocol, model.get("modelName") or subject.name)
    try:
        body = request_body(protocol, golden.request)
    except (KeyError, TypeError, ValueError) as error:
        raise GoldenError(Reason.GOLDEN_MISSING, f"the golden request is no V2 request body: {error}") from error
    answer = await question.ask(f"{address}{path}", body)
    return difference(answer, golden.outputs, protocol=protocol, tolerance=spec.parity.tolerance)
