"""Manifests that are refused: by every rule in its exact sentence, by the schema, and for fields that do not exist."""

import re
from typing import Any

import pytest

from headgate_operator.api.rules import violations
from tests.manifests import REFUSED, VALID, changed
from tests.plainhttp import APPLY, MERGE


def in_namespace(server: Any, obj: dict[str, Any]) -> dict[str, Any]:
    return obj | {"metadata": obj["metadata"] | {"namespace": server.namespace}}


@pytest.mark.parametrize(("at", "value", "path", "words"), REFUSED, ids=[f"{row[0]}={row[1]}"[:60] for row in REFUSED])
async def test_a_broken_rule_is_refused_with_its_own_sentence(server: Any, at: str, value: object, path: str, words: str) -> None:
    obj = in_namespace(server, changed(at, value))
    name = obj["metadata"]["name"]
    (violation,) = violations(obj)
    for answer in (
        await server.http("POST", server.path(), obj),
        await server.http("PATCH", f"{server.path()}/{name}", obj, APPLY, fieldManager="t"),
    ):
        assert (answer.status, answer.body["reason"]) == (422, "Invalid")
        message = answer.body["message"]
        assert message.startswith(f'ModelDeployment.headgate.dev "{name}" is invalid: {path}: Invalid value: ')
        assert message.endswith(f": {violation.message}"), message
        (cause,) = answer.body["details"]["causes"]
        assert (cause["field"], cause["reason"]) == (path, "FieldValueInvalid")


async def test_several_broken_rules_are_told_at_once(server: Any) -> None:
    obj = in_namespace(server, changed("spec.rollout.steps", [{"weight": 9}, {"weight": 3}]))
    obj["spec"]["model"]["uri"] = "models:/m/1"
    message = (await server.http("POST", server.path(), obj)).body["message"]
    assert re.match(r'ModelDeployment.headgate.dev "flight-delay" is invalid: \[spec\..*, spec\..*\]$', message), message


async def test_the_mode_cannot_be_changed_later(server: Any) -> None:
    obj = in_namespace(server, VALID)
    assert (await server.http("POST", server.path(), obj)).status == 201
    for patch in ({"spec": {"rollout": {"historyLimit": 3}}}, {"spec": {"serving": None}}):
        assert (await server.http("PATCH", f"{server.path()}/flight-delay", patch, MERGE)).status == 200


@pytest.mark.parametrize(
    ("at", "value"),
    [
        ("spec.model.uri", 7),
        ("spec.rollout.steps", "none"),
        ("spec.rollout.steps", [{"weight": 101}]),
        ("spec.rollout.steps", [{"weight": "10"}]),
        ("spec.rollout.watch.holdback", -1),
        ("spec.rollout.progressDeadline", "soon"),
        ("spec.serving.mode", "Serverless"),
        ("spec.analysis.falseRollbackRate", "much"),
        ("spec.model.uri", None),
        ("spec.model", None),
        ("spec.serving.hostnames", ["a.example.com", "a.example.com"]),
        ("spec.serving.hostnames", [f"h{number}.example.com" for number in range(40)]),
        ("spec.parity.golden", {}),
        ("spec.predictor.replicas", {"min": 0}),
    ],
)
async def test_the_schema_refuses_what_python_refuses(server: Any, at: str, value: object) -> None:
    obj = in_namespace(server, changed(at, value))
    told = {violation.path for violation in violations(obj)}
    answer = await server.http("POST", server.path(), obj)
    assert (answer.status == 422) == bool(told), answer.body
    if told:
        assert {cause["field"] for cause in answer.body["details"]["causes"]} >= told, answer.body


async def test_an_unknown_field_is_refused_warned_about_or_ignored_as_asked(server: Any) -> None:
    strict = await server.http("POST", server.path(), server.model(rolout={}), fieldValidation="Strict")
    assert (strict.status, strict.body["message"]) == (
        400,
        'ModelDeployment in version "v1alpha1" cannot be handled as a ModelDeployment: strict decoding error: unknown field "spec.rolout"',
    )
    warned = await server.http("POST", server.path(), server.model(rolout={}))
    assert warned.status == 201
    assert warned.headers.getall("Warning") == ['299 - "unknown field \\"spec.rolout\\""']
    assert "rolout" not in warned.body["spec"]
    ignored = await server.http("POST", server.path(), server.model("n", rolout={}), fieldValidation="Ignore")
    assert (ignored.status, "Warning" in ignored.headers) == (201, False)


async def test_an_unknown_field_under_server_side_apply_is_an_internal_error(server: Any) -> None:
    applied = await server.http("PATCH", f"{server.path()}/m", server.model(rolout={}), APPLY, fieldManager="t")
    assert (applied.status, applied.body["message"]) == (
        500,
        f"failed to create typed patch object ({server.namespace}/m; headgate.dev/v1alpha1, Kind=ModelDeployment): "
        ".spec.rolout: field not declared in schema",
    )


async def test_a_list_with_a_key_twice_is_refused_by_apply(server: Any) -> None:
    obj = {
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "s", "namespace": server.namespace},
        "spec": {"ports": [{"port": 80, "name": "a"}, {"port": 80, "name": "b"}]},
    }  # fmt: skip
    answer = await server.http("PATCH", server.path("services", "/api/v1") + "/s", obj, APPLY, fieldManager="t")
    assert (answer.status, "duplicate entries for key" in answer.body["message"]) == (500, True), answer.body
