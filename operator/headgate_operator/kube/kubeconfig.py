"""A kubeconfig is looked through before the kubernetes client reads it, whose errors name keys instead of what to do.

Only what decides about reaching a server is checked: the context, its cluster and its user. Everything else is the client's business.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from headgate_operator.kube.protocol import ApiError

_FILES = {"cluster": ("certificate-authority",), "user": ("client-certificate", "client-key", "tokenFile")}
"""What may be named instead of being written down."""


class KubeconfigError(ApiError):
    """Which file, what is wrong with it, and what to do, in one sentence."""


@dataclass(frozen=True)
class Kubeconfig:
    """What a kubeconfig says of one context."""

    context: str
    server: str
    namespace: str
    """`default`, unless the context has one."""


def read_kubeconfig(path: Path, context: str | None = None) -> Kubeconfig:
    """Look up a context, None for the current one; KubeconfigError if no API server can be reached with what is there."""
    content = _content(path)
    wanted = _wanted(path, content, context)
    chosen = _entry(path, content, "context", wanted)
    cluster = _entry(path, content, "cluster", str(chosen.get("cluster") or ""), of=wanted)
    server = cluster.get("server")
    if not isinstance(server, str) or not server.startswith(("http://", "https://")):
        raise _wrong(path, f"its cluster '{chosen.get('cluster')}' has no server", "write its URL there, such as https://10.0.0.1:6443")
    _files_are_there(path, "cluster", cluster)
    if chosen.get("user"):
        user = _entry(path, content, "user", str(chosen["user"]), of=wanted)
        _files_are_there(path, "user", user)
        _can_log_in(path, str(chosen["user"]), user)
    return Kubeconfig(wanted, server, str(chosen.get("namespace") or "default"))


def _content(path: Path) -> Mapping[str, Any]:
    other = "name one with --kubeconfig or $KUBECONFIG"
    try:
        text = path.read_text(encoding="utf-8")
        content = yaml.safe_load(text)
    except FileNotFoundError:
        raise KubeconfigError(f"no kubeconfig at {path}; {other}") from None
    except OSError as error:
        raise KubeconfigError(f"the kubeconfig {path} cannot be read: {error.strerror}; {other}") from error
    except (ValueError, yaml.YAMLError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark is not None else ""
        raise _wrong(path, f"it is no YAML{where}", f"mend it, or {other}") from error
    if not text.strip():
        raise _wrong(path, "it is empty", f"fetch it anew, or {other}")
    if not isinstance(content, dict) or "clusters" not in content:
        raise _wrong(path, "it is not a kubeconfig, as it has no clusters", other)
    return content


def _wanted(path: Path, content: Mapping[str, Any], context: str | None) -> str:
    wanted = context if context is not None else content.get("current-context")
    if not wanted:
        raise _wrong(
            path, "it has no current-context", f"choose one with --context or `kubectl config use-context`; {_has(content, 'context')}"
        )
    return str(wanted)


def _entry(path: Path, content: Mapping[str, Any], kind: str, name: str, *, of: str | None = None) -> Mapping[str, Any]:
    """Return the entry of that name in `contexts`, `clusters` or `users`; `of` is the context that asks for it."""
    for entry in _entries(content, kind):
        if entry.get("name") == name:
            return entry[kind] if isinstance(entry.get(kind), dict) else {}
    asked = f", which its context '{of}' asks for" if of is not None else ""
    raise _wrong(path, f"it has no {kind} '{name}'{asked}", _has(content, kind))


def _entries(content: Mapping[str, Any], kind: str) -> Sequence[Mapping[str, Any]]:
    listed = content.get(f"{kind}s")
    return [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []


def _has(content: Mapping[str, Any], kind: str) -> str:
    names = ", ".join(str(entry.get("name")) for entry in _entries(content, kind))
    return f"it has: {names}" if names else f"it has no {kind}s at all"


def _files_are_there(path: Path, kind: str, entry: Mapping[str, Any]) -> None:
    for key in _FILES[kind]:
        named = entry.get(key)
        if named and not (path.parent / str(named)).is_file():
            raise _wrong(path, f"the file {named}, its {key}, is not there", "log in to the cluster again, or fetch the kubeconfig anew")


def _can_log_in(path: Path, name: str, user: Mapping[str, Any]) -> None:
    program = (user.get("exec") or {}).get("command") if isinstance(user.get("exec"), dict) else None
    if program and shutil.which(str(program)) is None and not (path.parent / str(program)).is_file():
        raise _wrong(
            path, f"'{program}', the program by which its user '{name}' logs in, is not installed", "install it, or use another user"
        )


def _wrong(path: Path, what: str, remedy: str) -> KubeconfigError:
    return KubeconfigError(f"the kubeconfig {path} cannot be used: {what}; {remedy}")
