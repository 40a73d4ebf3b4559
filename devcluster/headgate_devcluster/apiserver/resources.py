"""What kinds of objects the server knows: built-in ones, and those that CustomResourceDefinitions add at run time."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Schema = dict[str, Any]
StorageKey = tuple[str, str]
"""(group, plural). The versions of one resource share a storage, and so do the Events of both groups."""


@dataclass(frozen=True)
class Column:
    """A column of `kubectl get`."""

    name: str
    type: str
    path: str
    priority: int = 0
    description: str = ""
    format: str = ""


@dataclass(frozen=True, kw_only=True)
class ResourceType:
    """One kind in one version."""

    group: str
    version: str
    plural: str
    kind: str
    singular: str = ""
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    has_status: bool = False
    """Whether status is a subresource: written separately, never together with the rest."""
    subresources: tuple[str, ...] = ()
    """What lives below its objects besides status, such as the `log` of a Pod."""
    custom: bool = False
    has_generation: bool = True
    unconditional_update: bool = False
    """Whether a PUT without resourceVersion is taken."""
    name_rule: str = "subdomain"
    schema: Schema = field(
        default_factory=lambda: {"type": "object", "x-kubernetes-preserve-unknown-fields": True}, hash=False, compare=False
    )
    """Of the whole object, metadata included."""
    columns: tuple[Column, ...] = ()
    storage: StorageKey = ("", "")
    storage_version: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "singular", self.singular or self.kind.lower())
        object.__setattr__(self, "storage", self.storage if self.storage != ("", "") else (self.group, self.plural))
        object.__setattr__(self, "storage_version", self.storage_version or self.api_version)

    @property
    def api_version(self) -> str:
        """As in the object's apiVersion."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """As in error messages: `deployments.apps`, but `pods`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def list_kind(self) -> str:
        """The kind of a list of them."""
        return f"{self.kind}List"


@dataclass(frozen=True)
class Target:
    """What a request is about."""

    resource: ResourceType
    namespace: str
    name: str = ""
    subresource: str = ""


class Catalogue:
    """The resources served right now, by group, version and plural."""

    def __init__(self, builtins: tuple[ResourceType, ...]) -> None:
        self._types = {(item.group, item.version, item.plural): item for item in builtins}

    def find(self, group: str, version: str, plural: str) -> ResourceType | None:
        """Return the resource at a path, or None."""
        return self._types.get((group, version, plural))

    def replace_custom(self, group: str, plural: str, types: tuple[ResourceType, ...]) -> None:
        """Serve exactly these versions of a custom resource; none removes it."""
        self._types = {key: item for key, item in self._types.items() if not (item.custom and (item.group, item.plural) == (group, plural))}
        self._types |= {(item.group, item.version, item.plural): item for item in types}

    def __iter__(self) -> Iterator[ResourceType]:
        return iter(tuple(self._types.values()))
