"""The rules for names, labels, annotations and other metadata that hold for every kind."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from headgate_devcluster.apiserver.errors import FieldError, invalid_value, required
from headgate_devcluster.apiserver.objects import Object
from headgate_devcluster.apiserver.resources import ResourceType

_LABEL: Final = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN: Final = rf"{_LABEL}(\.{_LABEL})*"
_LABEL_1035: Final = "[a-z]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED: Final = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_VALUE: Final = "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?"
MAX_ANNOTATIONS: Final = 256 * 1024

_RULES: Final[Mapping[str, tuple[str, int, str]]] = {
    "subdomain": (
        _SUBDOMAIN,
        253,
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an "
        f"alphanumeric character (e.g. 'example.com', regex used for validation is '{_SUBDOMAIN}')",
    ),
    "label": (
        _LABEL,
        63,
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric "
        f"character (e.g. 'my-name',  or '123-abc', regex used for validation is '{_LABEL}')",
    ),
    "label1035": (
        _LABEL_1035,
        63,
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an "
        f"alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '{_LABEL_1035}')",
    ),
    "path": ("(?!\\.{1,2}$)[^/%]+", 253, "may not be '.' or '..', and may not contain '/' or '%'"),
}


def metadata_violations(obj: Object, resource: ResourceType) -> Iterator[FieldError]:
    """Yield what is wrong with the metadata of an object."""
    metadata = obj["metadata"]
    if not metadata.get("name"):
        yield required("metadata.name", "name or generateName is required")
    else:
        yield from name_violations(metadata["name"], resource.name_rule, "metadata.name")
    yield from _label_violations(metadata.get("labels") or {})
    yield from _annotation_violations(metadata.get("annotations") or {})
    for index, owner in enumerate(metadata.get("ownerReferences") or ()):
        yield from _owner_violations(owner, f"metadata.ownerReferences[{index}]")
    for index, finalizer in enumerate(metadata.get("finalizers") or ()):
        if not re.fullmatch(_QUALIFIED, str(finalizer).rpartition("/")[2]):
            yield invalid_value(
                f"metadata.finalizers[{index}]", finalizer, "name part must consist of alphanumeric characters, '-', '_' or '.'"
            )


def name_violations(name: Any, rule: str, path: str) -> Iterator[FieldError]:
    """Yield what is wrong with a name."""
    pattern, longest, sentence = _RULES[rule]
    if not isinstance(name, str) or not re.fullmatch(pattern, name):
        yield invalid_value(path, name, sentence)
    if isinstance(name, str) and len(name) > longest:
        yield invalid_value(path, name, f"must be no more than {longest} bytes")


def _label_violations(labels: Mapping[str, Any]) -> Iterator[FieldError]:
    for key, value in labels.items():
        yield from _key_violations(key, "metadata.labels")
        if len(value) > 63:
            yield invalid_value("metadata.labels", value, "must be no more than 63 bytes")
        elif not re.fullmatch(_VALUE, value):
            yield invalid_value(
                "metadata.labels",
                value,
                "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with "
                f"an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '{_VALUE}')",
            )


def _annotation_violations(annotations: Mapping[str, Any]) -> Iterator[FieldError]:
    for key in annotations:
        yield from _key_violations(key, "metadata.annotations")
    if sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items()) > MAX_ANNOTATIONS:
        yield FieldError("metadata.annotations", "Too long", f"may not be more than {MAX_ANNOTATIONS} bytes")


def _key_violations(key: str, path: str) -> Iterator[FieldError]:
    prefix, slash, name = key.rpartition("/")
    if not re.fullmatch(_QUALIFIED, name) or len(name) > 63:
        yield invalid_value(
            path,
            key,
            "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character "
            f"(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{_QUALIFIED}')",
        )
    if slash and not re.fullmatch(_SUBDOMAIN, prefix):
        yield invalid_value(path, key, f"prefix part {_RULES['subdomain'][2]}")


def _owner_violations(owner: Mapping[str, Any], path: str) -> Iterator[FieldError]:
    for field, sentence in (
        ("apiVersion", "version must not be empty"),
        ("kind", "must not be empty"),
        ("name", "must not be empty"),
        ("uid", "must not be empty"),
    ):
        if not owner.get(field):
            yield invalid_value(f"{path}.{field}", owner.get(field, ""), sentence)
