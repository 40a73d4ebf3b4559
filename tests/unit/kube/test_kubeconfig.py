"""What is wrong with a kubeconfig is one sentence: which file, what, and what to do."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from headgate_operator.kube.kubeconfig import Kubeconfig, KubeconfigError, read_kubeconfig

Content = dict[str, Any]
NO_CURRENT = "it has no current-context; choose one with --context or `kubectl config use-context`; it has: x"


def good() -> Content:
    return {
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:6443"}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u", "namespace": "ml"}}],
        "current-context": "x",
    }


def but(**changes: Any) -> str:
    return yaml.safe_dump({key: value for key, value in (good() | changes).items() if value is not None})


def with_user(**user: Any) -> str:
    return but(users=[{"name": "u", "user": user}])


def with_cluster(**cluster: Any) -> str:
    return but(clusters=[{"name": "c", "cluster": cluster}])


def test_a_good_one_says_where_and_in_which_namespace(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(but())
    assert read_kubeconfig(path) == read_kubeconfig(path, "x") == Kubeconfig("x", "https://127.0.0.1:6443", "ml")


def test_a_file_beside_it_and_a_context_without_user_or_namespace_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "config"
    (tmp_path / "ca.crt").write_text("pem")
    bare = [{"name": "x", "context": {"cluster": "c"}}]
    path.write_text(but(contexts=bare, clusters=[{"name": "c", "cluster": {"server": "https://h", "certificate-authority": "ca.crt"}}]))
    assert read_kubeconfig(path).namespace == "default"


@pytest.mark.parametrize(
    ("text", "context", "sentence"),
    [
        ("", None, "it is empty; fetch it anew, or name one with --kubeconfig or $KUBECONFIG"),
        ("just words", None, "it is not a kubeconfig, as it has no clusters; name one with"),
        ("a: [b\n", None, "it is no YAML (line 2); mend it, or name one with"),
        (but(**{"current-context": None}), None, NO_CURRENT),
        (but(**{"current-context": ""}), None, NO_CURRENT),
        (but(**{"current-context": "gone"}), None, "it has no context 'gone'; it has: x"),
        (but(), "gone", "it has no context 'gone'; it has: x"),
        (but(contexts=["x"]), None, "it has no context 'x'; it has no contexts at all"),
        (but(clusters=[]), None, "it has no cluster 'c', which its context 'x' asks for; it has no clusters at all"),
        (but(users=[{"name": "v", "user": {}}]), None, "it has no user 'u', which its context 'x' asks for; it has: v"),
        (with_cluster(), None, "its cluster 'c' has no server; write its URL there, such as https://"),
        (with_cluster(server="10.0.0.1:6443"), None, "its cluster 'c' has no server"),
        (with_cluster(server="https://h", **{"certificate-authority": "/gone/ca"}), None, "the file /gone/ca, its certificate-authority,"),
        (with_user(tokenFile="/gone/token"), None, "the file /gone/token, its tokenFile, is not there; log in to the cluster again"),
        (with_user(exec={"command": "no-such-login"}), None, "'no-such-login', the program by which its user 'u' logs in, is not"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_says_which_file_what_and_what_to_do(tmp_path: Path, text: str, context: str | None, sentence: str) -> None:
    path = tmp_path / "config"
    path.write_text(text)
    with pytest.raises(KubeconfigError) as refused:
        read_kubeconfig(path, context)
    assert str(refused.value).startswith(f"the kubeconfig {path} cannot be used: {sentence}")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("prepare", "sentence"),
    [
        (lambda path: None, "no kubeconfig at {path}; name one with --kubeconfig or $KUBECONFIG"),
        (lambda path: path.mkdir(), "the kubeconfig {path} cannot be read: Is a directory; name one with --kubeconfig or $KUBECONFIG"),
        (lambda path: path.write_bytes(b"\xff"), "the kubeconfig {path} cannot be used: it is no YAML; mend it, or name one with"),
    ],
    ids=["missing", "a folder", "not text"],
)
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, prepare: Callable[[Path], Any], sentence: str) -> None:
    path = tmp_path / "config"
    prepare(path)
    with pytest.raises(KubeconfigError) as refused:
        read_kubeconfig(path)
    assert str(refused.value).startswith(sentence.format(path=path))
