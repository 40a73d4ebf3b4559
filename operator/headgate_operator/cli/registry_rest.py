"""Reads an MLflow server's registry by its REST API."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from headgate_operator.cli.registry_records import RegistryReadError, RunRecord, VersionRecord, moment
from headgate_operator.controller.allowed import parse_allow_list
from headgate_operator.controller.upstream.rest import NotFoundError, Rest, RestError, TokenFile

_API: Final = "/api/2.0/mlflow"


class RestRegistry:
    """One server; a secret is for the one that whoever runs the command has named themselves."""

    def __init__(self, server: str, token_file: Path | None) -> None:
        self._server = server.rstrip("/")
        tokens = (TokenFile(self._server, token_file),) if token_file is not None else ()
        self._rest = Rest(allowed=parse_allow_list([self._server]), tokens=tokens)

    async def number_of(self, name: str, alias: str | None) -> str:
        """Return the version that an alias names, or without one the newest version."""
        if alias is not None:
            found = await self._get("registered-models/alias", {"name": name, "alias": alias}, f"no alias '{alias}' of a model '{name}'")
            return str(_object(found, "model_version").get("version"))
        quoted = name.replace("'", "''")
        query = {"filter": f"name = '{quoted}'", "order_by": "version_number DESC", "max_results": "1"}
        versions = (await self._get("model-versions/search", query, f"no model '{name}'")).get("model_versions")
        if not isinstance(versions, list) or not versions or not isinstance(versions[0], dict):
            raise RegistryReadError(f"{self._server} has no version of a model '{name}'")
        return str(versions[0].get("version"))

    async def version(self, name: str, number: str) -> VersionRecord:
        """Return a version."""
        answer = await self._get("model-versions/get", {"name": name, "version": number}, f"no version {number} of a model '{name}'")
        found = _object(answer, "model_version")
        aliases = found.get("aliases")
        return VersionRecord(
            name=name,
            version=number,
            created=moment(found.get("creation_timestamp")),
            run_id=str(found.get("run_id") or ""),
            aliases=tuple(map(str, aliases)) if isinstance(aliases, list) else (),
            tags=_pairs(found.get("tags")),
        )

    async def run(self, run_id: str) -> RunRecord:
        """Return a run."""
        found = _object(await self._get("runs/get", {"run_id": run_id}, f"no run {run_id}"), "run")
        info, data = _object(found, "info"), _object(found, "data")
        metrics = {name: float(value) for name, value in _pairs(data.get("metrics")).items()}
        return RunRecord(
            run_id=run_id,
            status=str(info.get("status") or ""),
            ended=moment(info.get("end_time")),
            params=_pairs(data.get("params")),
            metrics=metrics,
            tags=_pairs(data.get("tags")),
        )

    async def close(self) -> None:
        """Release connections."""
        await self._rest.close()

    async def _get(self, path: str, query: Mapping[str, str], absent: str) -> Mapping[str, Any]:
        try:
            return await self._rest.get(self._server, f"{_API}/{path}", query)
        except NotFoundError as error:
            raise RegistryReadError(f"{self._server} has {absent}") from error
        except RestError as error:
            raise RegistryReadError(str(error)) from error


def _object(answer: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = answer.get(key)
    if not isinstance(found, dict):
        raise RegistryReadError(f"the answer has no {key}; is it an MLflow server?")
    return found


def _pairs(listed: object) -> dict[str, str]:
    pairs = [pair for pair in listed if isinstance(pair, dict)] if isinstance(listed, list) else []
    return {str(pair.get("key")): str(pair.get("value", "")) for pair in pairs}
