"""Runs Argo CD's customization as Argo CD does: out of the ConfigMap, in a Lua 5.1 that has only what its sandbox has.

Its `util/lua/lua.go` opens the base, package and table libraries and two functions of `os`; strings have no methods. A script that needs
more works on a desk and fails in Argo CD.
"""

from pathlib import Path
from typing import Any

import yaml
from lupa.lua51 import LuaRuntime, lua_type

MANIFESTS = Path(__file__).parents[1] / "manifests" / "argocd"
KIND = "headgate.dev_ModelDeployment"
HEALTH = frozenset({"Unknown", "Progressing", "Suspended", "Healthy", "Degraded", "Missing"})

_SANDBOX = """
debug.setmetatable("", nil)
os = {time = os.time, date = os.date}
for _, name in ipairs({"string", "io", "math", "debug", "coroutine", "python", "jit", "bit"}) do
  _G[name] = nil
  if package ~= nil and package.loaded ~= nil then package.loaded[name] = nil end
end
"""


class ArgoCd:
    """What an Argo CD with the packed ConfigMap does with a ModelDeployment."""

    def __init__(self) -> None:
        data = yaml.safe_load((MANIFESTS / "argocd-cm.yaml").read_text())["data"]
        self._health = data[f"resource.customizations.health.{KIND}"]
        actions = yaml.safe_load(data[f"resource.customizations.actions.{KIND}"])
        self._discovery = actions["discovery.lua"]
        self._actions = {definition["name"]: definition["action.lua"] for definition in actions["definitions"]}

    def health(self, obj: dict[str, Any]) -> tuple[str, str]:
        """Return health and message."""
        answer = run(self._health, obj)
        assert set(answer) <= {"status", "message"}
        assert answer["status"] in HEALTH
        return answer["status"], answer["message"]

    def actions(self, obj: dict[str, Any]) -> dict[str, bool]:
        """Return which actions are listed, and whether each can be clicked."""
        found = run(self._discovery, obj)
        assert set(found) == set(self._actions), "what is listed is what can be done"
        return {name: not action["disabled"] for name, action in found.items()}

    def act(self, obj: dict[str, Any], action: str) -> dict[str, Any]:
        """Return the object as the action leaves it; lupa's LuaError if it refuses."""
        changed: dict[str, Any] = run(self._actions[action], obj)
        return changed


def run(script: str, obj: dict[str, Any]) -> Any:
    """Run one script on one object in a state of its own, as Argo CD does."""
    lua = LuaRuntime(unpack_returned_tuples=True, register_eval=False, register_builtins=False)
    lua.execute(_SANDBOX)
    lua.globals()["obj"] = _to_lua(lua, obj)
    return _from_lua(lua.execute(script))


def _to_lua(lua: LuaRuntime, value: Any) -> Any:
    if isinstance(value, dict):
        return lua.table_from({key: _to_lua(lua, item) for key, item in value.items() if item is not None})
    if isinstance(value, list):
        return lua.table_from([_to_lua(lua, item) for item in value])
    return value


def _from_lua(value: Any) -> Any:
    """As Argo CD's encoder does; it takes an empty table for a list and puts that right by the object as it was."""
    if lua_type(value) != "table":
        return int(value) if isinstance(value, float) and value.is_integer() else value
    items = {key: _from_lua(item) for key, item in value.items()}
    return [items[index] for index in sorted(items)] if items and all(isinstance(key, int) for key in items) else items
