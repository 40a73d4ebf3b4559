"""Argo CD shows the right health, and its buttons write what `headgate` writes, which the operator obeys."""

import runpy
from copy import deepcopy

import pytest
from lupa.lua51 import LuaError

from headgate_operator.api.names import COMMAND_ANNOTATION
from headgate_operator.api.status import Phase
from headgate_operator.rollout.commands import _VERBS
from headgate_operator.rollout.pauses import PAUSES
from tests.argocd import MANIFESTS, ArgoCd, run

ARGO = ArgoCd()


def test_the_config_map_holds_the_lua_files_word_for_word():
    packed = runpy.run_path(str(MANIFESTS / "pack.py"))["packed"]()
    assert (MANIFESTS / "argocd-cm.yaml").read_text() == packed, "run: python manifests/argocd/pack.py > manifests/argocd/argocd-cm.yaml"


def test_scripts_have_only_what_the_sandbox_of_argo_cd_has():
    present = run("local names = {} for name in pairs(_G) do table.insert(names, name) end return names", {})
    assert not {"string", "io", "math", "debug", "coroutine", "python"} & set(present)
    with pytest.raises(LuaError):
        run("return obj.name:upper()", {"name": "x"})


def test_every_phase_is_among_the_situations(situations):
    assert {situation.phase for situation in situations.values()} == set(Phase)


def test_health(situation, there, stored):
    health, message = ARGO.health(stored(there))
    assert (there.phase, health) == (situation.phase, situation.argocd)
    assert message


def test_every_wait_that_is_wanted_is_shown_as_suspended(stored, make_world):
    obj = stored(make_world().run())
    for reason in PAUSES:
        waiting = deepcopy(obj)
        waiting["status"]["conditions"].append({"type": "Reconciling", "status": "True", "reason": str(reason), "message": "it waits"})
        assert ARGO.health(waiting) == ("Suspended", f"{reason}: it waits")


def test_a_status_of_any_shape_has_a_health():
    for status in ({}, {"conditions": []}, {"observedGeneration": 1}, {"observedGeneration": 1, "conditions": []}):
        assert ARGO.health({"metadata": {"generation": 1}, "spec": {}, "status": status})[0] == "Progressing"
    assert ARGO.health({"metadata": {}, "spec": {}})[0] == "Progressing"


def test_every_command_of_the_operator_is_a_button(there, stored):
    assert set(ARGO.actions(stored(there))) == set(_VERBS)


SPARED = {"retry"}
"""Beside a candidate the operator would take back an older refusal; nobody means that who looks at the candidate."""


def test_a_button_can_be_clicked_exactly_where_the_operator_obeys(name, there, stored):
    before = stored(there)
    for action, can_be_clicked in ARGO.actions(before).items():
        words = clicked(before, action)
        if words is None:
            assert not can_be_clicked
            continue
        world = deepcopy(there)
        world.command = words
        world.step()
        assert world.status.last_command.command == words
        obeyed = world.status.last_command.result == "Applied"
        spared = obeyed and action in SPARED and there.status.candidate is not None
        assert obeyed == can_be_clicked or spared, (name, words, world.status.last_command.result)


def clicked(before, action):
    """The command that the action writes, beside which it changes nothing; None if it refuses."""
    try:
        after = ARGO.act(deepcopy(before), action)
    except LuaError:
        return None
    words = after["metadata"]["annotations"].pop(COMMAND_ANNOTATION)
    assert without_empty(after) == without_empty(before)
    return words


def test_while_a_command_is_under_way_no_button_can_be_clicked(make_world, stored):
    world = make_world().run()
    second = world.apply(2)
    world.run(lambda world: world.weights.get(second) == 10)
    assert any(ARGO.actions(stored(world)).values())
    world.command = f"pause@{second}"
    assert not any(ARGO.actions(stored(world)).values())
    world.step()
    assert world.status.last_command.removing
    assert not any(ARGO.actions(stored(world)).values())
    world.step()
    assert ARGO.actions(stored(world))["resume"]


def test_an_annotation_of_somebody_else_stays(make_world, stored):
    obj = stored(make_world().run())
    obj["metadata"]["annotations"] = {"team": "ops"}
    obj["status"]["history"].append({"id": "r00000000"})
    after = ARGO.act(obj, "rollback")
    assert after["metadata"]["annotations"] == {"team": "ops", COMMAND_ANNOTATION: f"rollback@{obj['status']['stable']['id']}"}


def without_empty(value):
    """Lua knows no empty list; Argo CD puts that right (`cleanReturnedObj`)."""
    if isinstance(value, dict):
        return {key: slim for key, item in value.items() if (slim := without_empty(item)) not in ({}, [])}
    return [without_empty(item) for item in value] if isinstance(value, list) else value
