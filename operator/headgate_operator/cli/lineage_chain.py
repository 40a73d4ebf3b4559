"""The chain from data to deployments, put together from what could be read; what could not is a note, never an empty chain."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from headgate_operator.api.status import ModelDeploymentStatus
from headgate_operator.cli.cluster import Deployment
from headgate_operator.cli.registry_records import RunRecord, VersionRecord
from headgate_operator.controller.upstream.mlflow import STORAGE_TAG

_PREFIX: Final = "headgate."


def chain(
    model: str, version: VersionRecord | None, run: RunRecord | None, deployments: Sequence[Deployment] | None, number: str | None
) -> dict[str, Any]:
    """Return the chain as plain data; links that nobody told are None, and so is each fact.

    Args:
        model: The registered model.
        version: What the registry says about the version.
        run: What it says about the run.
        deployments: ModelDeployments that were looked at; None if the cluster did not answer.
        number: The version, where only the deployments can be asked.
    """
    tags = {**(run.tags if run else {}), **(version.tags if version else {})}
    uri = tags.get(STORAGE_TAG)
    known = version.version if version else number
    return {
        "model": model,
        "version": known,
        "data": _facts(tags, dataset="dataset", snapshot="snapshot", rows="rows", trainStart="trainStart", trainEnd="trainEnd"),
        "features": _facts(tags, digest="featuresDigest"),
        "reference": _facts(tags, digest="referenceDigest"),
        "run": _run(run, tags, version),
        "registered": _registered(version, tags),
        "deployments": None if deployments is None else [place for one in deployments for place in _places(one, model, known, uri)],
    }


def follows(deployment: Deployment, model: str) -> bool:
    """Whether a ModelDeployment follows an alias of the model."""
    return _registry(deployment).get("name") == model


def followed_registry(deployments: Sequence[Deployment], model: str) -> str | None:
    """Return the registry that a ModelDeployment of the model follows."""
    return next(
        (str(_registry(one)["trackingURI"]) for one in deployments if follows(one, model) and "trackingURI" in _registry(one)), None
    )


def _registry(deployment: Deployment) -> Mapping[str, Any]:
    return deployment.obj["spec"].get("model", {}).get("registry") or {}


def _facts(tags: Mapping[str, str], **wanted: str) -> dict[str, str] | None:
    found = {name: tags[_PREFIX + tag] for name, tag in wanted.items() if _PREFIX + tag in tags}
    return found or None


def _run(run: RunRecord | None, tags: Mapping[str, str], version: VersionRecord | None) -> dict[str, Any] | None:
    run_id = run.run_id if run else version.run_id if version else ""
    told = _facts(tags, gitCommit="gitCommit", pipelineRun="pipelineRun") or {}
    if not run_id and not told:
        return None
    measured = (
        {"status": run.status, "endedAt": _iso(run.ended), "metrics": dict(run.metrics), "parameters": dict(run.params)} if run else {}
    )
    return {"id": run_id or None, **told, **measured}


def _registered(version: VersionRecord | None, tags: Mapping[str, str]) -> dict[str, Any] | None:
    if version is None:
        return None
    told = _facts(
        tags, storageUri="storageUri", modelDigest="modelDigest", status="status", reason="reason", message="message", time="time"
    )
    return {"version": version.version, "aliases": list(version.aliases), "createdAt": _iso(version.created), **(told or {})}


def _places(deployment: Deployment, model: str, number: str | None, uri: str | None) -> Iterator[dict[str, Any]]:
    """Yield where the version is in a ModelDeployment; its URI is what a revision is, its number the second best."""
    of_model = follows(deployment, model) or deployment.name == model
    for role, revision, version, model_uri, since, reason in _revisions(deployment.status):
        if model_uri == uri if uri is not None else of_model and number in (None, version):
            yield {
                "namespace": deployment.namespace,
                "name": deployment.name,
                "owner": deployment.obj["spec"].get("owner"),
                "role": role,
                "revision": revision,
                "version": version,
                "modelUri": model_uri,
                "since": _iso(since),
                "reason": reason,
            }


def _revisions(status: ModelDeploymentStatus) -> Iterator[tuple[str, str, str, str, datetime | None, str | None]]:
    if (stable := status.stable) is not None:
        yield "stable", stable.id, stable.version, stable.model_uri, stable.since, None
    if (candidate := status.candidate) is not None:
        yield "candidate", candidate.id, candidate.version, candidate.model_uri, candidate.started_at, None
    for past in status.history:
        if stable is None or past.id != stable.id:
            yield "was stable", past.id, past.version, past.model_uri, past.promoted_at, None
    for refused in status.rejected:
        yield "refused", refused.id, refused.version, refused.model_uri, refused.at, refused.reason


def _iso(then: datetime | None) -> str | None:
    return then.isoformat() if then is not None else None
